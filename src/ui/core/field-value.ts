import { fieldValue, withFieldValue } from '../../experiment/permalink';
import { EXPERIMENT_FIELDS, type Experiment, type Field } from '../../experiment/schema';

export type FieldValue = number | boolean | string | number[];

const FIELDS = new Map(EXPERIMENT_FIELDS.map((field) => [field.key, field]));

/** The field with this key. Throws on a key that the table does not have: that is a mistake in the page. */
export function fieldOf(key: string): Field {
  const field = FIELDS.get(key);
  if (!field) throw new Error(`No field "${key}" in the table of fields.`);
  return field;
}

export const getField = (experiment: Experiment, key: string): FieldValue =>
  fieldValue(experiment, fieldOf(key));

/** A copy of the experiment with one field changed. */
export const setField = (experiment: Experiment, key: string, value: FieldValue): Experiment =>
  withFieldValue(experiment, fieldOf(key), value);

/** What a field goes back to. */
export function defaultOf(field: Field): FieldValue {
  return typeof field.default === 'object' ? [...field.default] : field.default;
}

/** Numbers are the same when they read the same: files of runs keep six significant digits. */
export function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a.toPrecision(6) === b.toPrecision(6);
  return JSON.stringify(a) === JSON.stringify(b);
}

export function isDefault(experiment: Experiment, key: string): boolean {
  return sameValue(getField(experiment, key), defaultOf(fieldOf(key)));
}

/** Why `text` cannot be this field's value, in one sentence; or the number. */
export function readNumber(field: Extract<Field, { min: number }>, text: string): number | string {
  const value = text.trim() === '' ? Number.NaN : Number(text.replace('\u2212', '-'));
  const kind = field.kind === 'integer' ? 'a whole number' : 'a number';
  const wrong = !Number.isFinite(value) || value < field.min || value > field.max;
  if (wrong || (field.kind === 'integer' && !Number.isInteger(value))) {
    return `${field.label} takes ${kind} from ${field.min} to ${field.max}.`;
  }
  return value;
}

/** Settings in which `experiment` differs from `base`, as "Label value" in the table's order. */
export function describeDifferences(base: Experiment, experiment: Experiment): string[] {
  return EXPERIMENT_FIELDS.filter(
    (field) => !sameValue(getField(base, field.key), getField(experiment, field.key)),
  ).map((field) => {
    const stage =
      field.group === 'prune'
        ? 'Pruning '
        : field.group === 'retrain' && field.key.includes('.')
          ? 'Retraining '
          : '';
    const label = stage ? `${stage}${field.label.toLowerCase()}` : field.label;
    return `${label} ${describeValue(field, getField(experiment, field.key))}`;
  });
}

export function describeValue(field: Field, value: FieldValue): string {
  if (field.kind === 'boolean') return value ? 'on' : 'off';
  if (field.kind === 'choice')
    return field.options.find((option) => option.value === value)?.label ?? String(value);
  if (Array.isArray(value)) return value.length ? value.join('/') : 'the corpus’ own';
  return String(value);
}
