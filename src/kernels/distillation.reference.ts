/**
 * The student's row losses −ln softmax(s)[target], the rows' divergences KL(softmax(t/τ) ‖ softmax(s/τ)) and the
 * gradient of scale · Σ (weight · τ² · divergence + (1 − weight) · loss) with respect to the student's logits s
 * [rows, V]. A target outside [0, V) is ignored.
 */
export function distillationReference(
  logits: ArrayLike<number>,
  teacherLogits: ArrayLike<number>,
  targets: ArrayLike<number>,
  vocabulary: number,
  { weight, temperature, scale }: { weight: number; temperature: number; scale: number },
): { losses: Float64Array; divergences: Float64Array; dLogits: Float64Array } {
  const rows = targets.length;
  const losses = new Float64Array(rows);
  const divergences = new Float64Array(rows);
  const dLogits = new Float64Array(rows * vocabulary);
  for (let r = 0; r < rows; r++) {
    const target = targets[r]!;
    if (target >= vocabulary) continue;
    const rowOf = (all: ArrayLike<number>) =>
      Array.from({ length: vocabulary }, (_, v) => all[r * vocabulary + v]!);
    const hard = logSoftmax(rowOf(logits), 1);
    const student = logSoftmax(rowOf(logits), temperature);
    const teacher = logSoftmax(rowOf(teacherLogits), temperature);
    losses[r] = -hard[target]!;
    divergences[r] = teacher.reduce((sum, lnP, v) => sum + Math.exp(lnP) * (lnP - student[v]!), 0);
    for (let v = 0; v < vocabulary; v++) {
      const soft = temperature * (Math.exp(student[v]!) - Math.exp(teacher[v]!));
      const next = Math.exp(hard[v]!) - (v === target ? 1 : 0);
      dLogits[r * vocabulary + v] = scale * (weight * soft + (1 - weight) * next);
    }
  }
  return { losses, divergences, dLogits };
}

function logSoftmax(row: readonly number[], temperature: number): number[] {
  const max = row.reduce((a, b) => Math.max(a, b));
  const scaled = row.map((x) => (x - max) / temperature);
  const logSum = Math.log(scaled.reduce((sum, x) => sum + Math.exp(x), 0));
  return scaled.map((x) => x - logSum);
}
