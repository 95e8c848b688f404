import { oneShot } from './one-shot';
import { sheared } from './sheared';

/** Every method of pruning; a new one is a file of this folder and a line here. */
export const METHODS = [sheared, oneShot] as const;

export type MethodId = (typeof METHODS)[number]['id'];

type SettingsOf<Method> = Method extends { training(settings: infer Settings): unknown } ? Settings : never;
/** What every method's training follows from. */
type Settings = SettingsOf<typeof sheared> & SettingsOf<typeof oneShot>;

export function methodOf(id: MethodId): (typeof METHODS)[number] {
  return METHODS.find((method) => method.id === id)!;
}

/** Optimiser steps between the start and the cut, and windows in each. */
export function trainingBeforeCut(id: MethodId, settings: Settings): { steps: number; batchSize: number } {
  return methodOf(id).training(settings);
}
