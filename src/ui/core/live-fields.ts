import { EXPERIMENT_FIELDS, type Experiment } from '../../experiment/schema';
import type { Intervention } from '../../experiment/interventions';
import { fieldOf, getField, sameValue } from './field-value';
import { followedRun, isGoing, type LabState } from './lab-state';

/** Whether what is set in the form acts on a run that goes on. */
export const actsOnRun = (state: LabState): boolean =>
  isGoing(state) && state.shownRun === state.currentRun && followedRun(state) !== null;

/** Why a setting cannot be changed now, in one sentence; null when it can. */
export function fixedBecause(state: LabState, key: string): string | null {
  if (!actsOnRun(state)) return null;
  const { live } = fieldOf(key);
  if (live === 'until-end') return null;
  if (live === 'no') return 'Fixed since the run’s start: prepare another run to change it.';
  const surgery = followedRun(state)?.surgery;
  return surgery ? `Fixed since the cut at step ${surgery.step}: prepare another run to change it.` : null;
}

/** The fields in which two settings differ, with the values of `to`. */
export function differences(from: Experiment, to: Experiment): Intervention['changes'] {
  const changes: Intervention['changes'] = {};
  for (const { key } of EXPERIMENT_FIELDS) {
    if (!sameValue(getField(from, key), getField(to, key))) changes[key] = getField(to, key);
  }
  return changes;
}
