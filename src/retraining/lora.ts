import { integer, number, toggle, type ValueOf } from '../fields/field';
import type { LoraOptions, Projection } from '../llama/adapters';
import { continued } from './continued';

/** What adapters have besides the steps and rates of any training. */
const adapterFields = {
  rank: integer('Rank', 8, [1, 256, 1], 'Rows of A and columns of B: how much an adapter can change.'),
  alpha: number(
    'Alpha',
    16,
    [0, 1024, 1],
    'An adapter’s product counts alpha / rank times, so that another rank needs no other learning rate.',
  ),
  dropout: number(
    'Adapter dropout',
    0,
    [0, 0.9, 0.05],
    'Probability that an input of an adapter is dropped in a step.',
  ),
  attention: toggle('Adapt attention', true, 'Adapters on the query, key, value and output projections.'),
  mlp: toggle('Adapt MLP', true, 'Adapters on the gate, up and down projections.'),
  share: number(
    'Share of the steps',
    0.5,
    [0, 1, 0.05],
    'With continued pretraining first: the share of the steps, the last ones, in which adapters train.',
  ),
} as const;

const fields = { retrain: continued.fields.retrain, lora: adapterFields } as const;

/** Training of low-rank adapters after the cut, the weights frozen, and their merge at the end (Hu et al. 2021). */
export const lora = {
  id: 'lora',
  label: 'Low-rank adapters (LoRA)',
  help: 'Small matrices beside the frozen weights of the cut model are trained, and folded in at the end.',
  trains: true,
  fields,
  adapterSteps: (steps: number) => steps,
} as const;

/** All weights first, then adapters on what came of them. */
export const continuedLora = {
  id: 'continued-lora',
  label: 'Continued pretraining, then LoRA',
  help: 'All weights of the cut model are trained on first, then adapters on the frozen weights.',
  trains: true,
  fields,
  adapterSteps: (steps: number, settings: AdapterSettings) => Math.round(steps * settings.share),
} as const;

export type AdapterSettings = ValueOf<typeof adapterFields>;

/** The adapters that these settings ask for; without a projection, which adapterLayout refuses, when both are off. */
export function loraOptions(
  { rank, alpha, dropout, attention, mlp }: AdapterSettings,
  seed: number,
): LoraOptions {
  const projections: Projection[] = [];
  if (attention) projections.push('q', 'k', 'v', 'o');
  if (mlp) projections.push('gate', 'up', 'down');
  return { rank, alpha, dropout, projections, seed };
}
