import { GATE_SETS } from '../../llama/gates';
import type { Criterion } from './criterion';
import { sumOverUnits } from './unit-weights';

/**
 * I = Σ |W·∂L/∂W| over all weights of a unit, with the gradient of the mean loss over the whole calibration set, so
 * that signs meet before the absolute value is taken: Shortened LLaMA's "Taylor" for layers, LLM-Pruner's first
 * order, summed over a group's coupled tensors, for widths.
 */
export const taylor = {
  id: 'taylor',
  label: 'Taylor (in width: LLM-Pruner)',
  help: 'First-order change of the loss: sum of |weight × gradient| over the weights of a unit.',
  sets: GATE_SETS,
  reads: { statistics: 'gradients' },
  async score({ config, parameters, gradients }) {
    const gradient = await gradients();
    return { values: sumOverUnits(config, (i) => Math.abs(parameters[i]! * gradient[i]!)) };
  },
} as const satisfies Criterion;
