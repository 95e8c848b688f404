import { choice, integer, optionsOf, toggle, type ValueOf } from '../../fields/field';
import { layerCriteria, widthCriteria } from '../scores';

const fields = {
  /** Also what learnt masks are warm-started from. */
  scores: {
    layers: choice(
      'Layers by',
      'block-influence',
      optionsOf(layerCriteria),
      'What says how important a layer is.',
    ),
    widths: choice(
      'Widths by',
      'minitron',
      optionsOf(widthCriteria),
      'What says how important heads, MLP units and hidden dimensions are.',
    ),
    protectEnds: toggle(
      'Protect first and last layers',
      false,
      'The “+” of Shortened LLaMA: the first eighth and the last sixteenth of the layers go last.',
    ),
    compensate: toggle(
      'Compensate with biases',
      true,
      'Where the score has it (FLAP) and the mask closes at once: the mean of what was removed becomes a bias.',
    ),
    steps: integer(
      'Closed over',
      0,
      [0, 100000, 10],
      'Optimiser steps in which the mask closes while the weights train, on one schedule with retraining; 0: at once.',
      'until-cut',
    ),
  },
  race: {
    candidates: integer(
      'Candidates',
      1,
      [1, 64, 1],
      'Masks that race for the cut, judged after some steps of retraining each; 1: no race. Weights and moments of half of them wait in main memory.',
    ),
    steps: integer(
      'Race steps',
      60,
      [1, 100000, 10],
      'Steps of retraining that a candidate of the last round has had when it is judged; on nano 100 predict the end well, 30 hardly.',
    ),
    rounds: integer(
      'Race rounds',
      3,
      [1, 16, 1],
      'Judgements on the way, evenly spread over the steps; the better half goes on.',
    ),
  },
  calibration: {
    sequences: integer(
      'Calibration sequences',
      128,
      [1, 4096, 1],
      'Sequences of training text that scores are taken on.',
    ),
    length: integer(
      'Calibration length',
      0,
      [0, 8192, 1],
      'Tokens in each of them; 0: as many as a training window has.',
    ),
    mixture: choice(
      'Calibration mixture',
      'corpus',
      [
        { value: 'corpus', label: 'The corpus’ proportions' },
        { value: 'start', label: 'The mixture that the run starts from' },
        { value: 'uniform', label: 'Every domain alike' },
      ],
      'Which domains they are drawn from.',
    ),
    seed: integer(
      'Calibration seed',
      1,
      [0, 4294967295, 1],
      'Which of them are drawn; also of random scores.',
    ),
  },
} as const;

type Settings = ValueOf<typeof fields> & { retrain: { batchSize: number } };

/** Scores decide at once, without training; the mask then closes at once or over some steps. */
export const oneShot = {
  id: 'one-shot',
  kind: 'one-shot',
  label: 'One shot: by scores',
  help: 'Units are scored on calibration text, and the least important go.',
  fields,
  training: ({ scores, retrain }: Settings) => ({ steps: scores.steps, batchSize: retrain.batchSize }),
  carriesMoments: true,
} as const;
