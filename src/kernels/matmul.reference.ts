import type { MatmulLayout } from './matmul';

/** op(A)·op(B) in float64 (see `MatmulLayout`), and Σ|terms| of each element for error bounds. */
export function matmulReference(
  layout: MatmulLayout,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  m: number,
  n: number,
  k: number,
): { c: Float64Array; magnitude: Float64Array } {
  const c = new Float64Array(m * n);
  const magnitude = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      let absolute = 0;
      for (let i = 0; i < k; i++) {
        const left = layout === 'tn' ? a[i * m + row]! : a[row * k + i]!;
        const right = layout === 'nt' ? b[column * k + i]! : b[i * n + column]!;
        sum += left * right;
        absolute += Math.abs(left * right);
      }
      c[row * n + column] = sum;
      magnitude[row * n + column] = absolute;
    }
  }
  return { c, magnitude };
}
