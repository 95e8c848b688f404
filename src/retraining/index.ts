import { continued } from './continued';
import { continuedLora, lora, type AdapterSettings } from './lora';
import { none } from './none';

/** What may heal a model after the cut; a new one is a file of this folder and a line here. */
export const RETRAININGS = [continued, lora, continuedLora, none] as const;

export type RetrainingId = (typeof RETRAININGS)[number]['id'];

const retrainingOf = (id: RetrainingId) => RETRAININGS.find((retraining) => retraining.id === id)!;

/** Whether a retraining has optimiser steps. */
export function trains(id: RetrainingId): boolean {
  return retrainingOf(id).trains;
}

/** Of `steps` after the cut, those (the last ones) in which adapters train in the place of the weights. */
export function adapterSteps(id: RetrainingId, steps: number, settings: AdapterSettings): number {
  return retrainingOf(id).adapterSteps(steps, settings);
}
