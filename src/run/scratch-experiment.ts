import { trains } from '../retraining';
import { plannedTraining, runTokens } from './run-size';
import type { Experiment } from '../experiment/schema';

/**
 * How the control trains: a model that knows nothing wants the rate of pretraining (docs/source-model.md), not
 * that of retraining.
 */
const FROM_SCRATCH = {
  learningRate: 8e-3,
  learningRateWarmup: 0.1,
  learningRateFloor: 0.1,
  weightDecay: 0.1,
} as const satisfies Partial<Experiment['retrain']>;

/**
 * The experiment's control: its target shape trained from random weights on as many tokens as pruning and
 * retraining read together. Batch (of the last stage), context, mixture, clipping and seed stay the same. It is an
 * experiment whose retraining stage is all that runs.
 */
export function scratchExperiment(experiment: Experiment): Experiment {
  return asLong(experiment, FROM_SCRATCH);
}

/**
 * The other control: the source itself, trained on for as many tokens at the run's own rates of retraining. What it
 * loses or gains is what warming up an annealed model again does, and no pruning.
 */
export function rewarmedExperiment(experiment: Experiment): Experiment {
  return asLong(experiment, {});
}

/** Retraining alone, on as many tokens as the whole run, learning from next tokens and nothing else. */
function asLong(experiment: Experiment, rates: Partial<Experiment['retrain']>): Experiment {
  const planned = plannedTraining(experiment);
  const { batchSize } = trains(experiment.retraining) ? planned.retrain : planned.prune;
  const steps = Math.ceil(runTokens(experiment) / (batchSize * experiment.contextLength));
  return {
    ...experiment,
    retraining: 'continued',
    retrain: { ...experiment.retrain, ...rates, steps, batchSize },
    distillation: { ...experiment.distillation, weight: 0 },
  };
}
