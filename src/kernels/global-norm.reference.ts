/** norm, scale and flag as `globalNorm` writes them; clipNorm 0 means no clipping. */
export function globalNormReference(
  gradient: ArrayLike<number>,
  clipNorm: number,
): { norm: number; scale: number; flag: 0 | 1 } {
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  // Sums beyond f32 count as infinite: that is what the kernel adds in.
  if (!Number.isFinite(Math.fround(sum))) return { norm: 0, scale: 0, flag: 1 };
  const norm = Math.sqrt(sum);
  return { norm, scale: clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1, flag: 0 };
}
