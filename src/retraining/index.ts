import { continued } from './continued';
import { none } from './none';

/** What may heal a model after the cut; a new one is a file of this folder and a line here. */
export const RETRAININGS = [continued, none] as const;

export type RetrainingId = (typeof RETRAININGS)[number]['id'];

/** Whether a retraining has optimiser steps. */
export function trains(id: RetrainingId): boolean {
  return RETRAININGS.find((retraining) => retraining.id === id)!.trains;
}
