import { trainingBeforeCut } from '../pruning/methods';
import { trains } from '../retraining';
import type { Experiment } from '../experiment/schema';

/** Optimiser steps before and after the cut, and windows in each of them. */
export function plannedTraining(experiment: Experiment): {
  prune: { steps: number; batchSize: number };
  retrain: { steps: number; batchSize: number };
} {
  const { method, retraining, retrain } = experiment;
  return {
    prune: trainingBeforeCut(method, experiment),
    retrain: { steps: trains(retraining) ? retrain.steps : 0, batchSize: retrain.batchSize },
  };
}

/** Training tokens that a run draws in all. */
export function runTokens(experiment: Experiment): number {
  const { prune, retrain } = plannedTraining(experiment);
  return (prune.steps * prune.batchSize + retrain.steps * retrain.batchSize) * experiment.contextLength;
}

/** Optimiser steps of all stages together. */
export function runSteps(experiment: Experiment): number {
  const { prune, retrain } = plannedTraining(experiment);
  return prune.steps + retrain.steps;
}

/**
 * Training tokens that each domain should have at hand: a mixture can move to one domain entirely, and so can a
 * calibration set. A domain with less is read again from its start.
 */
export function neededTokens(experiment: Experiment): number {
  const { calibration, contextLength } = experiment;
  return Math.max(runTokens(experiment), calibration.sequences * (calibration.length || contextLength));
}

/** More windows than any domain's validation split has: an evaluation stops at the split's end. */
export const ALL_WINDOWS = 1_000_000;
