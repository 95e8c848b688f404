import { uniform } from '../../data/random';
import { GATE_SETS, gateLayout } from '../../llama/gates';
import type { Criterion } from './criterion';

/** Key of its random stream. */
const SCORE_STREAM = 3;

/** Uniform numbers: what any other criterion has to beat. */
export const random = {
  id: 'random',
  label: 'Random',
  blind: true,
  help: 'Units go by chance: what every other score has to beat.',
  sets: GATE_SETS,
  score({ config, seed }) {
    const layout = gateLayout(config);
    const values = Object.fromEntries(
      GATE_SETS.map((set, k) => [
        set,
        Float64Array.from({ length: layout[set].rows * layout[set].length }, (_, i) =>
          uniform(seed, SCORE_STREAM, k, i),
        ),
      ]),
    );
    return { values };
  },
} as const satisfies Criterion;
