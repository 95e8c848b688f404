import { gateLayout } from '../../llama/gates';
import type { Criterion } from './criterion';

/**
 * Minitron's width scores (Muralidharan et al. 2024, section 2.2): mean |x| over a sequence, L2 over sequences. An MLP
 * unit at the input of the down projection; a head at that of the output projection, L2 over its channels; a hidden
 * dimension at the outputs of all norms, summed.
 */
export const minitron = {
  id: 'minitron',
  label: 'Activations (Minitron)',
  help: 'Mean absolute activation of a unit, L2 over the calibration sequences.',
  sets: ['hidden', 'head', 'intermediate'],
  reads: { statistics: 'activations' },
  async score({ config, activations }) {
    const { normed, attended, activated } = await activations();
    const { head: heads } = gateLayout(config);
    const channels = (config.numAttentionHeads * config.headDim) / heads.length;
    const hidden = new Float64Array(config.hiddenSize);
    for (const { sequenceNorm } of normed) sequenceNorm.forEach((x, j) => (hidden[j]! += x));
    const head = Float64Array.from({ length: heads.rows * heads.length }, (_, i) => {
      const first = (i % heads.length) * channels;
      const { sequenceNorm } = attended[Math.floor(i / heads.length)]!;
      return Math.hypot(...sequenceNorm.subarray(first, first + channels));
    });
    const intermediate = Float64Array.from(activated.flatMap(({ sequenceNorm }) => [...sequenceNorm]));
    return { values: { hidden, head, intermediate } };
  },
} as const satisfies Criterion;
