export interface RopeShape {
  batch: number;
  context: number;
  heads: number;
  keyValueHeads: number;
  headDim: number;
}

/**
 * qkv with the bias added and q and k rotated, in float64. `direction` −1 rotates back: with no bias, that
 * is the gradient (a rotation's transpose is its inverse).
 */
export function ropeReference(
  qkv: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  table: ArrayLike<number>,
  { batch, context, heads, keyValueHeads, headDim }: RopeShape,
  direction: 1 | -1 = 1,
): Float64Array {
  const columns = (heads + 2 * keyValueHeads) * headDim;
  const half = headDim / 2;
  const out = Float64Array.from(
    { length: batch * context * columns },
    (_, i) => qkv[i]! + (bias ? bias[i % columns]! : 0),
  );
  for (let row = 0; row < batch * context; row++) {
    for (let head = 0; head < heads + keyValueHeads; head++) {
      for (let i = 0; i < half; i++) {
        const at = row * columns + head * headDim + i;
        const cosine = table[(row % context) * headDim + i]!;
        const sine = table[(row % context) * headDim + half + i]! * direction;
        const [a, b] = [out[at]!, out[at + half]!];
        out[at] = a * cosine - b * sine;
        out[at + half] = b * cosine + a * sine;
      }
    }
  }
  return out;
}
