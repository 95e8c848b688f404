import { integer, number, toggle, type ValueOf } from '../../fields/field';

const fields = {
  /** Which gate sets may close; the others stay open and keep the source's size. */
  gates: {
    layer: toggle('Layer gates', true, 'Cut layers; off: all stay.'),
    hidden: toggle('Hidden gates', true, 'Cut hidden dimensions; off: all stay.'),
    head: toggle('Head gates', true, 'Cut attention heads; off: all stay.'),
    intermediate: toggle('MLP gates', true, 'Cut MLP units; off: all stay.'),
  },
  prune: {
    steps: integer('Steps', 200, [1, 100000, 1], 'Optimiser steps with gates.', 'until-cut'),
    batchSize: integer('Batch size', 16, [1, 1024, 1], 'Windows in a batch.'),
    learningRate: number(
      'Learning rate',
      4e-3,
      [0, 1, 1e-4],
      'Peak learning rate of the weights.',
      'until-cut',
    ),
    learningRateWarmup: number(
      'Warm-up',
      0.1,
      [0, 1, 0.01],
      'Share of the steps over which learning rates rise.',
      'until-cut',
    ),
    learningRateFloor: number(
      'Floor',
      0.1,
      [0, 1, 0.01],
      'Share of the peak at which the cosine ends.',
      'until-cut',
    ),
    gateLearningRate: number(
      'Gate learning rate',
      0.15,
      [0, 10, 0.05],
      'Learning rate of log α (published: 1).',
      'until-cut',
    ),
    multiplierLearningRate: number(
      'Multiplier learning rate',
      0.1,
      [0, 10, 0.05],
      'Ascent rate of λ₁ and λ₂ (published: 1).',
      'until-cut',
    ),
    quadraticMultiplier: number(
      'λ₂ at the start',
      200,
      [0, 100000, 1],
      'Start of the quadratic multiplier (published: 0).',
    ),
    logAlpha: number(
      'log α at the start',
      3,
      [-4.6, 4.605, 0.1],
      'Where gates start (published: 5, clamped to 4.605).',
    ),
    sparsityWarmup: number(
      'Sparsity warm-up',
      0.5,
      [0, 1, 0.01],
      'Share of the steps over which the target sparsity rises (published: 0.2).',
      'until-cut',
    ),
    temperature: number(
      'Temperature β',
      2 / 3,
      [0.05, 2, 0.01],
      'Of the hard-concrete distribution (authors’ code 2/3, paper 0.83).',
    ),
    weightDecay: number('Weight decay', 0, [0, 1, 0.01], 'Decoupled decay of the matrices.', 'until-cut'),
    warmStart: toggle(
      'Warm start',
      true,
      'Gates start by the ranks of the scores: what those would cut is nearer to closing (published: all alike).',
    ),
    sharedMoments: toggle(
      'Shared moments',
      false,
      'One second moment in Adam for all gates of a set, which then move by the ratio of their gradients (published: off).',
    ),
    reachable: toggle(
      'Reachable target',
      true,
      'Ask for the sparsity that clamped gates add up to, a closed one counting as 0.953 closed (published: off).',
    ),
    foldAtOne: toggle(
      'Fold survivors at 1',
      true,
      'What the cut keeps counts in full instead of with its gate’s value (published: off).',
    ),
  },
} as const;

type Settings = { prune: ValueOf<typeof fields.prune> };

/**
 * Sheared LLaMA: masks are learnt under a constraint on expected sparsity, together with the weights
 * (docs/method.md). Defaults start from measurements on small models (docs/study.md).
 */
export const sheared = {
  id: 'sheared',
  kind: 'learnt',
  label: 'Sheared LLaMA: learned masks',
  help: 'Gates over every unit are learnt with the weights, under a constraint on how many may stay open.',
  fields,
  training: ({ prune }: Settings) => ({ steps: prune.steps, batchSize: prune.batchSize }),
  carriesMoments: false,
} as const;
