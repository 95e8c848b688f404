import { z } from 'zod';
import type { FieldValue } from '../fields/field';
import { fieldSchema } from '../fields/field';
import { withValueAt } from '../fields/table';
import { checked, refuse, wholeNumber } from '../formats/refusal';
import { experimentSchema, findField, type Experiment } from './schema';

/** Settings that were changed while a run went on. */
export interface Intervention {
  /** Steps of the run that were done before: the change holds from step `at` + 1 on. */
  at: number;
  /** New values by the fields' keys; live fields only. */
  changes: Record<string, FieldValue>;
}

/** An experiment and what is changed on the way: all that a run follows from. */
export interface Plan {
  experiment: Experiment;
  /** In the order of their steps. */
  interventions: readonly Intervention[];
}

/** More than anybody's hand makes in one run. */
export const MOST_INTERVENTIONS = 1000;

export const interventionChangesSchema = z
  .record(z.string().max(60), z.unknown())
  .transform((given, context): Record<string, FieldValue> => {
    const changes: Record<string, FieldValue> = {};
    for (const [key, value] of Object.entries(given)) {
      const field = findField(key);
      const parsed = field && field.live !== 'no' ? fieldSchema(field, key).safeParse(value) : null;
      if (parsed?.success) changes[key] = parsed.data;
      else {
        const message = parsed?.error.issues[0]!.message ?? changeRefusal(key);
        context.issues.push({ code: 'custom', message, input: given });
      }
    }
    return changes;
  });

const changeRefusal = (key: string) =>
  findField(key)
    ? `${findField(key)!.label} (${key}) cannot be changed while a run goes on: set it before the start`
    : 'must name settings that docs/experiment.md lists as live';

/** Interventions from outside: sorted by their steps. */
export const interventionsSchema: z.ZodType<Intervention[]> = z
  .array(z.strictObject({ at: wholeNumber(0, 10_000_000), changes: interventionChangesSchema }))
  .max(MOST_INTERVENTIONS)
  .transform((list) => [...list].sort((a, b) => a.at - b.at));

/** The settings that the step after `step` steps is made with. */
export function settingsAt({ experiment, interventions }: Plan, step: number): Experiment {
  return interventions.reduce(
    (settings, { at, changes }) => (at <= step ? changed(settings, changes) : settings),
    experiment,
  );
}

/** The settings when every intervention is in force. */
export function plannedSettings(plan: Plan): Experiment {
  return settingsAt(plan, Infinity);
}

/** A copy of the settings with fields changed. */
export function changed(settings: Experiment, changes: Intervention['changes']): Experiment {
  return Object.entries(changes).reduce((all, [key, value]) => withValueAt(all, key, value), settings);
}

/** A plan as one JSON document: the experiment's fields, and `interventions` where there are any. */
export function planDocument({ experiment, interventions }: Plan): object {
  return interventions.length ? { ...experiment, interventions } : experiment;
}

/** Reads such a document. @throws InputError: one sentence that names the first wrong field. */
export function parsePlan(json: unknown, subject = 'experiment'): Plan {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return refuse(subject, 'must be an object');
  }
  const { interventions = [], ...fields } = json as Record<string, unknown>;
  return {
    experiment: checked(experimentSchema, fields, subject),
    interventions: checked(interventionsSchema, interventions, `${subject}, interventions`),
  };
}
