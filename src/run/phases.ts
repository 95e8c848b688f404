import type { Experiment } from '../experiment/schema';
import { adapterSteps } from '../retraining';
import { plannedTraining } from './run-size';

/** Optimiser steps after the cut: first those of all weights, then those of adapters. */
export function phases(settings: Experiment): { weights: number; adapters: number } {
  const { steps } = plannedTraining(settings).retrain;
  const adapters = steps > 0 ? adapterSteps(settings.retraining, steps, settings.lora) : 0;
  return { weights: steps - adapters, adapters };
}
