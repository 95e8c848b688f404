import type { GateLayout } from './gate-layout';

/** A gate layout from its four sizes, for tests that have no model. */
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
  const head = { offset: hidden, rows: layers, length: keyValueHeads };
  const units = { offset: head.offset + layers * keyValueHeads, rows: layers, length: intermediate };
  const layer = { offset: units.offset + layers * intermediate, rows: 1, length: layers };
  return {
    hidden: { offset: 0, rows: 1, length: hidden },
    head,
    intermediate: units,
    layer,
    total: layer.offset + layers,
  };
}
