import { scoreConsumers } from './consumers';
import type { Criterion } from './criterion';

/** I_j = √E[x_j²] · Σ_i |W_ij| (Wanda's |W|·‖X‖ summed over a structure, as in FLAP's repository). */
export const wandaSp = {
  id: 'wanda-sp',
  label: 'Wanda-sp',
  help: 'Root mean square of a unit’s activation times the absolute weights that read it.',
  sets: ['hidden', 'head', 'intermediate'],
  reads: { statistics: 'activations' },
  score: (scoring) => scoreConsumers(scoring, ({ meanSquare }, j) => Math.sqrt(meanSquare[j]!), Math.abs),
} as const satisfies Criterion;
