import { scoreConsumers } from './consumers';
import type { Criterion } from './criterion';

/**
 * I_j = Var[x_j] · Σ_i W_ij² (FLAP's WIFV, An et al. 2024): how much a unit fluctuates about its mean. The mean itself
 * is not lost: the cut model gets it back as a bias (`compensated`).
 */
export const flap = {
  id: 'flap',
  label: 'FLAP: fluctuation, with bias compensation',
  help: 'Variance of a unit’s activation times the squared weights that read it; its mean becomes a bias.',
  sets: ['hidden', 'head', 'intermediate'],
  reads: { statistics: 'activations' },
  compensates: true,
  score: (scoring) =>
    scoreConsumers(
      scoring,
      // Two rounded means: a constant activation may come out a little below 0.
      ({ mean, meanSquare }, j) => Math.max(0, meanSquare[j]! - mean[j]! ** 2),
      (w) => w * w,
    ),
} as const satisfies Criterion;
