import type { GateLayout } from './gate-layout';
import { isPinned } from './hard-concrete-distribution';

/** The mean of g² over the gates of each set that are not pinned, for every gate of the set, in float64. */
export function setSquaresReference(
  logAlpha: ArrayLike<number>,
  gradient: ArrayLike<number>,
  layout: GateLayout,
): Float64Array {
  const squares = new Float64Array(layout.total);
  for (const { offset, rows, length } of layout.sets) {
    const gates = Array.from({ length: rows * length }, (_, i) => offset + i);
    const free = gates.filter((i) => !isPinned(logAlpha[i]!));
    const sum = free.reduce((all, i) => all + gradient[i]! ** 2, 0);
    for (const i of gates) squares[i] = free.length ? sum / free.length : 0;
  }
  return squares;
}
