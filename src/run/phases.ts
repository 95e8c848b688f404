import type { Experiment } from '../experiment/schema';
import { adapterSteps } from '../retraining';
import { plannedTraining } from './run-size';

/** Optimiser steps after the cut: first those of all weights, then those of adapters. */
export function phases(settings: Experiment): { weights: number; adapters: number } {
  const { steps } = plannedTraining(settings).retrain;
  const adapters = steps > 0 ? adapterSteps(settings.retraining, steps, settings.lora) : 0;
  return { weights: steps - adapters, adapters };
}

/**
 * Optimiser steps of the one schedule on which scores that close over some steps, and retraining after them, train all
 * weights: adapters have a schedule of their own.
 */
export function weightSteps(settings: Experiment): number {
  return plannedTraining(settings).prune.steps + phases(settings).weights;
}
