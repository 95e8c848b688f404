import type { Intervention } from '../../experiment/interventions';
import { changed } from '../../experiment/interventions';
import type { Experiment } from '../../experiment/schema';
import type { InterventionEvent } from '../../run/events';
import { describeValue, fieldOf, getField, titleOf } from './field-value';

/** "Hidden size 48 → 40, Mixture Dynamic batch loading → Manual weights" */
export function describeChanges(changes: Intervention['changes'], before: Intervention['changes']): string {
  return Object.entries(changes)
    .map(([key, value]) => {
      const field = fieldOf(key);
      const was = before[key];
      const now = describeValue(field, value);
      return `${titleOf(field)} ${was === undefined ? now : `${describeValue(field, was)} → ${now}`}`;
    })
    .join(', ');
}

/** "Step 120: Hidden size 48 → 40" */
export const describeIntervention = ({
  step,
  changes,
  before,
}: Pick<InterventionEvent, 'step' | 'changes' | 'before'>): string =>
  `Step ${step}: ${describeChanges(changes, before)}`;

/** Interventions that are planned, each with what holds before it. */
export function describePlanned(experiment: Experiment, interventions: readonly Intervention[]): string[] {
  let settings = experiment;
  return interventions.map(({ at, changes }) => {
    const before = Object.fromEntries(Object.keys(changes).map((key) => [key, getField(settings, key)]));
    settings = changed(settings, changes);
    return describeIntervention({ step: at, changes, before });
  });
}
