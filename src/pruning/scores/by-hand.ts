import { GATE_SETS, gateLayout } from '../../llama/gates';
import type { Criterion } from './criterion';

/** No score at all: pins decide, and of the units that nobody pinned the first stay. */
export const byHand = {
  id: 'by-hand',
  label: 'By hand: pins, then the first',
  blind: true,
  help: 'Pinned units decide; of those that nobody pinned the first stay.',
  sets: GATE_SETS,
  score({ config }) {
    const layout = gateLayout(config);
    return {
      values: Object.fromEntries(
        GATE_SETS.map((set) => [set, new Float64Array(layout[set].rows * layout[set].length)]),
      ),
    };
  },
} as const satisfies Criterion;
