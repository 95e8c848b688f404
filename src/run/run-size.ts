import { trainingBeforeCut } from '../pruning/methods';
import { raceRounds, raceSteps, type Round } from '../pruning/race/halving';
import { trains } from '../retraining';
import type { Experiment } from '../experiment/schema';
import { calibrationLength } from './calibration';

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

/** The rounds in which candidates for the mask race (docs/method.md, section 14); none without a race. */
export function plannedRace({ method, race }: Experiment): Round[] {
  return method === 'one-shot' ? raceRounds(race) : [];
}

function stageTokens(experiment: Experiment): number {
  const { prune, retrain } = plannedTraining(experiment);
  return (prune.steps * prune.batchSize + retrain.steps * retrain.batchSize) * experiment.contextLength;
}

/** Training tokens that the candidates of a race read together. */
export function raceTokens(experiment: Experiment): number {
  const { batchSize } = plannedTraining(experiment).retrain;
  return raceSteps(plannedRace(experiment)) * batchSize * experiment.contextLength;
}

/** Training tokens that a run reads in all, its race included. */
export function runTokens(experiment: Experiment): number {
  return stageTokens(experiment) + raceTokens(experiment);
}

/** Optimiser steps of all stages together; those of a race are not the run's own. */
export function runSteps(experiment: Experiment): number {
  const { prune, retrain } = plannedTraining(experiment);
  return prune.steps + retrain.steps;
}

/**
 * Training tokens that each domain should have at hand: a mixture can move to one domain entirely, and so can a
 * calibration set. A domain with less is read again from its start. All candidates of a race read the same text, which
 * is no more than a stage's.
 */
export function neededTokens(experiment: Experiment): number {
  return Math.max(stageTokens(experiment), experiment.calibration.sequences * calibrationLength(experiment));
}

/** More windows than any domain's validation split has: an evaluation stops at the split's end. */
export const ALL_WINDOWS = 1_000_000;
