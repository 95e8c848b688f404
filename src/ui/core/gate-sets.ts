import type { GateSet } from '../../llama/gates';

/** What the page calls each gate set. */
export const GATE_SET_TITLES: Readonly<Record<GateSet, string>> = {
  hidden: 'Hidden',
  head: 'Heads',
  intermediate: 'MLP',
  layer: 'Layers',
};

export const GATE_SETS = Object.keys(GATE_SET_TITLES) as GateSet[];

export const sumOf = (values: Uint8Array): number => values.reduce((total, value) => total + value, 0);
