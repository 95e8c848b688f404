import { GATE_SETS } from '../../llama/gates';
import type { Criterion } from './criterion';
import { sumOverUnits } from './unit-weights';

/** I = Σ |W| over all weights of a unit (Shortened LLaMA, "Mag", with p = 1). */
export const magnitude = {
  id: 'magnitude',
  label: 'Magnitude',
  help: 'Sum of the absolute weights that belong to a unit.',
  sets: GATE_SETS,
  score: ({ config, parameters }) => ({
    values: sumOverUnits(config, (i) => Math.abs(parameters[i]!)),
  }),
} as const satisfies Criterion;
