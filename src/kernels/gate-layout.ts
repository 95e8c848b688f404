import type { GateSet } from './step-inputs';

/** Where one gate set lies in the flat gate buffer, as `rows` rows of `length` gates. */
export interface GateRegion {
  offset: number;
  rows: number;
  length: number;
}

/**
 * The flat gate buffer: hidden [d] | heads [L, G] | intermediate [L, I] | layers [L], with no padding.
 * The model's own layout makes it; `shaders/gate_layout.wgsl` derives the same offsets from the four sizes.
 */
export type GateLayout = Record<GateSet, GateRegion> & { total: number };

/** Rows of all sets together: 1 hidden, L heads, L intermediate, 1 layers. */
export function gateRowCount(layout: GateLayout): number {
  return layout.hidden.rows + layout.head.rows + layout.intermediate.rows + layout.layer.rows;
}

/** The fields of `GateLayout` in the shaders: d, L, G, I. */
export function gateLayoutUniforms({ hidden, layer, head, intermediate }: GateLayout) {
  return {
    hidden: hidden.length,
    layers: layer.length,
    keyValueHeads: head.length,
    intermediate: intermediate.length,
  };
}
