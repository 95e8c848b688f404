import type { Criterion } from './criterion';

/** I = 1 − E[cos(block input, block output)] over all tokens (ShortGPT). */
export const blockInfluence = {
  id: 'block-influence',
  label: 'Block Influence',
  help: 'How much a layer turns the residual stream: 1 − the mean cosine of its input and output.',
  sets: ['layer'],
  reads: { statistics: 'activations' },
  async score({ activations }) {
    const { cosine } = await activations();
    return { values: { layer: Float64Array.from(cosine, (c) => 1 - c) } };
  },
} as const satisfies Criterion;
