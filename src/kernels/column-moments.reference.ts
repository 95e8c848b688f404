import { MOMENTS } from './column-moments';

/** Σ x, Σ x² and Σ |x| of every column in every window of `values` [windows·window, columns]: [windows, 3, columns]. */
export function columnMomentsReference(
  values: ArrayLike<number>,
  { windows, window, columns }: { windows: number; window: number; columns: number },
): Float64Array {
  const moments = new Float64Array(windows * MOMENTS * columns);
  for (let row = 0; row < windows * window; row++) {
    const at = Math.floor(row / window) * MOMENTS * columns;
    for (let j = 0; j < columns; j++) {
      const x = values[row * columns + j]!;
      [x, x * x, Math.abs(x)].forEach((term, k) => (moments[at + k * columns + j]! += term));
    }
  }
  return moments;
}
