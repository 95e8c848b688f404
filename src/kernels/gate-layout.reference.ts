import type { GateLayout } from './gate-layout';

/** Four gate sets as a model has them, from its sizes: hidden | heads | intermediate | layers. */
export function gateLayoutOf({
  hidden,
  layers,
  keyValueHeads,
  intermediate,
}: {
  hidden: number;
  layers: number;
  keyValueHeads: number;
  intermediate: number;
}): GateLayout {
  let total = 0;
  const sets = [
    [1, hidden],
    [layers, keyValueHeads],
    [layers, intermediate],
    [1, layers],
  ].map(([rows, length]) => {
    const offset = total;
    total += rows! * length!;
    return { offset, rows: rows!, length: length! };
  });
  return { sets, total };
}
