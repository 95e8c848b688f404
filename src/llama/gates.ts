import type { GateLayout, GateRegion } from '../kernels/gate-layout';
import type { LlamaConfig } from './config';

/** The gate sets of a model in the order of their numbers, which the kernels know them by. */
export const GATE_SETS = ['hidden', 'head', 'intermediate', 'layer'] as const;
export type GateSet = (typeof GATE_SETS)[number];

/**
 * The flat gate buffer of a model: hidden [d] | heads [L, G], one gate a key/value group | intermediate [L, I] |
 * layers [L]. By name, and by number for the kernels.
 */
export type ModelGateLayout = GateLayout & Readonly<Record<GateSet, GateRegion>>;

export function gateLayout(config: LlamaConfig): ModelGateLayout {
  const { hiddenSize, numHiddenLayers: layers, numKeyValueHeads, intermediateSize } = config;
  const offsets = { head: hiddenSize, intermediate: hiddenSize + layers * numKeyValueHeads };
  const layerOffset = offsets.intermediate + layers * intermediateSize;
  const byName = {
    hidden: { offset: 0, rows: 1, length: hiddenSize },
    head: { offset: offsets.head, rows: layers, length: numKeyValueHeads },
    intermediate: { offset: offsets.intermediate, rows: layers, length: intermediateSize },
    layer: { offset: layerOffset, rows: 1, length: layers },
  };
  return { ...byName, sets: GATE_SETS.map((set) => byName[set]), total: layerOffset + layers };
}
