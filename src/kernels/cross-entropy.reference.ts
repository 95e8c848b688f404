/**
 * Row losses lse − logit[target] and the gradient of scale · Σ losses with respect to the logits [rows, V].
 * A target outside [0, V) is ignored.
 */
export function crossEntropyReference(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  vocabulary: number,
  scale: number,
): { losses: Float64Array; dLogits: Float64Array } {
  const rows = targets.length;
  const losses = new Float64Array(rows);
  const dLogits = new Float64Array(rows * vocabulary);
  for (let r = 0; r < rows; r++) {
    const target = targets[r]!;
    if (target >= vocabulary) continue;
    const row = Array.from({ length: vocabulary }, (_, v) => logits[r * vocabulary + v]!);
    const max = row.reduce((a, b) => Math.max(a, b));
    const lse = max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0));
    losses[r] = lse - row[target]!;
    row.forEach((x, v) => {
      dLogits[r * vocabulary + v] = scale * (Math.exp(x - lse) - (v === target ? 1 : 0));
    });
  }
  return { losses, dLogits };
}
