import type { Criterion } from './criterion';

/** I = exp(mean loss without the layer) (Shortened LLaMA, "PPL"): each layer once, the others in place. */
export const perplexity = {
  id: 'perplexity',
  label: 'Perplexity without the layer',
  help: 'Perplexity on the calibration sequences when the layer alone is left out.',
  sets: ['layer'],
  reads: { losses: (layers: number) => layers },
  async score({ config, lossWithout }) {
    const layer = new Float64Array(config.numHiddenLayers);
    for (let l = 0; l < layer.length; l++) layer[l] = Math.exp(await lossWithout([l]));
    return { values: { layer } };
  },
} as const satisfies Criterion;
