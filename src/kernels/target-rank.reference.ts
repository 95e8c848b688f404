/** Place of each row's target when its logits [rows, V] are sorted, largest first, equal ones by token. */
export function targetRankReference(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  vocabulary: number,
): number[] {
  return Array.from(targets, (target, r) => {
    if (target >= vocabulary) return 0;
    const row = Array.from({ length: vocabulary }, (_, v) => logits[r * vocabulary + v]!);
    const order = row.map((_, v) => v).sort((a, b) => row[b]! - row[a]! || a - b);
    return order.indexOf(target);
  });
}
