import { EXPERIMENT_FIELDS, findField, groupOf, type Experiment, type Field } from '../../experiment/schema';
import type { FieldValue } from '../../fields/field';
import { defaultOf, valueAt, withValueAt } from '../../fields/table';

export type { FieldValue };
export { defaultOf };

/** The field with this key. Throws on a key that the table does not have: that is a mistake in the page. */
export function fieldOf(key: string): Field {
  const field = findField(key);
  if (!field) throw new Error(`No field "${key}" in the table of fields.`);
  return field;
}

export const getField = (experiment: Experiment, key: string): FieldValue =>
  valueAt(experiment, fieldOf(key).key);

/** A copy of the experiment with one field changed. */
export const setField = (experiment: Experiment, key: string, value: FieldValue): Experiment =>
  withValueAt(experiment, fieldOf(key).key, value);

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
  ).map((field) => `${titleOf(field)} ${describeValue(field, getField(experiment, field.key))}`);
}

/** A field's label, with its stage where two stages have one of that label. */
export function titleOf(field: Field): string {
  const group = groupOf(field);
  if (group === 'prune') return `Pruning ${field.label.toLowerCase()}`;
  if (group === 'retrain' && field.key.includes('.')) return `Retraining ${field.label.toLowerCase()}`;
  if (group === 'adapters') return `${field.label} (adapters)`;
  if (group === 'distillation') return `Distillation ${field.label.toLowerCase()}`;
  return field.label;
}

export function describeValue(field: Field, value: FieldValue): string {
  if (field.kind === 'boolean') return value ? 'on' : 'off';
  if (field.kind === 'choice')
    return field.options.find((option) => option.value === value)?.label ?? String(value);
  if (field.kind === 'pins') return (value as string[]).join(' ') || 'none';
  if (Array.isArray(value)) return value.length ? value.join('/') : 'the corpus’ own';
  return String(value);
}
