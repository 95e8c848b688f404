import { integer, number } from '../fields/field';

/** Plain training of all weights after the cut, on the mixture that the run is at. */
export const continued = {
  id: 'continued',
  label: 'Continued pretraining',
  help: 'All weights of the cut model are trained on.',
  trains: true,
  adapterSteps: () => 0,
  fields: {
    retrain: {
      steps: integer('Steps', 400, [1, 1000000, 1], 'Optimiser steps after the cut.', 'until-end'),
      batchSize: integer('Batch size', 16, [1, 1024, 1], 'Windows in a batch.'),
      learningRate: number('Learning rate', 4e-3, [0, 1, 1e-4], 'Peak learning rate.', 'until-end'),
      learningRateWarmup: number(
        'Warm-up',
        0.03,
        [0, 1, 0.01],
        'Share of the steps over which the learning rate rises.',
        'until-end',
      ),
      learningRateFloor: number(
        'Floor',
        0.1,
        [0, 1, 0.01],
        'Share of the peak at which the cosine ends.',
        'until-end',
      ),
      weightDecay: number('Weight decay', 0, [0, 1, 0.01], 'Decoupled decay of the matrices.', 'until-end'),
    },
  },
} as const;
