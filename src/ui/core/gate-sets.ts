import type { GateSet } from '../../llama/gates';

/** What the page calls each gate set. */
export const GATE_SET_TITLES: Readonly<Record<GateSet, string>> = {
  hidden: 'Hidden',
  head: 'Heads',
  intermediate: 'MLP',
  layer: 'Layers',
};

const UNITS: Readonly<Record<GateSet, readonly [one: string, many: string]>> = {
  hidden: ['hidden dimension', 'hidden dimensions'],
  head: ['head group', 'head groups'],
  intermediate: ['MLP unit', 'MLP units'],
  layer: ['layer', 'layers'],
};
const AXES = ['axis', 'axes'] as const;

/** What so many units of a set are called; the hidden dimensions of a turned stream are its axes. */
export function unitsName(set: GateSet, count: number, turned: boolean): string {
  const [one, many] = turned && set === 'hidden' ? AXES : UNITS[set];
  return count === 1 ? one : many;
}

export const GATE_SETS = Object.keys(GATE_SET_TITLES) as GateSet[];

export const sumOf = (values: Uint8Array): number => values.reduce((total, value) => total + value, 0);
