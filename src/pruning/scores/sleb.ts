import type { Criterion } from './criterion';

/**
 * SLEB (Song et al. 2024): the layer goes whose absence costs least, then the next is looked for in what is left. The
 * score of a layer is the perplexity right after it went. Of equal ones the later goes first.
 */
export const sleb = {
  id: 'sleb',
  label: 'SLEB: one layer after another',
  help: 'The layer whose loss costs least goes first; the rest is measured again without it.',
  sets: ['layer'],
  reads: { losses: (layers: number) => (layers * (layers + 1)) / 2 },
  async score({ config, lossWithout }) {
    const layer = new Float64Array(config.numHiddenLayers);
    const order: number[] = [];
    while (order.length < layer.length) {
      let best = { l: -1, loss: Infinity };
      for (let l = 0; l < layer.length; l++) {
        if (order.includes(l)) continue;
        const loss = await lossWithout([...order, l]);
        if (loss <= best.loss) best = { l, loss };
      }
      order.push(best.l);
      layer[best.l] = Math.exp(best.loss);
    }
    return { values: { layer }, order };
  },
} as const satisfies Criterion;
