import { trains } from '../retraining';
import type { Experiment } from '../experiment/schema';

/**
 * Training tokens that a run draws in all. A mixture can move to one domain entirely, so this is also what
 * each domain should have at hand; a domain with less is read again from its start.
 */
export function runTokens(experiment: Experiment): number {
  const { prune, retrain, contextLength, retraining } = experiment;
  const windows =
    prune.steps * prune.batchSize + (trains(retraining) ? retrain.steps * retrain.batchSize : 0);
  return windows * contextLength;
}

/** Optimiser steps of all stages together. */
export function runSteps({ prune, retrain, retraining }: Experiment): number {
  return prune.steps + (trains(retraining) ? retrain.steps : 0);
}

/** More windows than any domain's validation split has: an evaluation stops at the split's end. */
export const ALL_WINDOWS = 1_000_000;
