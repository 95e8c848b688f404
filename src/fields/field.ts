import { z } from 'zod';
import { MOST_DOMAINS } from './domains';

/**
 * Kinds of field: what a setting may be, what it is without being set, and until when it may change. A table of
 * fields (src/experiment/schema.ts) gives the schema, the form, the link's keys, the reset buttons and the docs.
 */
export type Field = NumberField | BooleanField | ChoiceField | NameField | WeightsField | PinsField;

export type FieldValue = number | boolean | string | number[] | string[];

/** Until when a running experiment may change a field: not at all, until the cut, or until its end. */
export type Live = 'no' | 'until-cut' | 'until-end';

interface FieldBase {
  label: string;
  help: string;
  live: Live;
}

export interface NumberField extends FieldBase {
  kind: 'integer' | 'number';
  default: number;
  min: number;
  max: number;
  /** What an arrow key adds. */
  step: number;
}
export interface BooleanField extends FieldBase {
  kind: 'boolean';
  default: boolean;
}
export interface ChoiceField<Value extends string = string> extends FieldBase {
  kind: 'choice';
  default: Value;
  options: readonly { value: Value; label: string }[];
}
/** The name of a model. */
export interface NameField extends FieldBase {
  kind: 'name';
  default: string;
}
/** One weight a domain, in the corpus' order; empty: the corpus' own proportions. */
export interface WeightsField extends FieldBase {
  kind: 'weights';
  default: readonly number[];
}
/** Units that are closed (`-`) or kept (`!`) by hand: `d5-` a hidden dimension, `a2.1-` head 1 of layer 2, `m0.17!` an MLP unit, `l3-` a layer. */
export interface PinsField extends FieldBase {
  kind: 'pins';
  default: readonly string[];
}

/** What a field, or a tree of fields, holds. */
export type ValueOf<F> = F extends { kind: 'integer' | 'number' }
  ? number
  : F extends { kind: 'boolean' }
    ? boolean
    : F extends ChoiceField<infer Value>
      ? Value
      : F extends { kind: 'name' }
        ? string
        : F extends { kind: 'weights' }
          ? number[]
          : F extends { kind: 'pins' }
            ? string[]
            : { -readonly [K in keyof F]: ValueOf<F[K]> };

type Range = readonly [min: number, max: number, step: number];

const numberField =
  (kind: 'integer' | 'number') =>
  (label: string, value: number, [min, max, step]: Range, help: string, live: Live = 'no'): NumberField => ({
    kind,
    label,
    default: value,
    min,
    max,
    step,
    help,
    live,
  });

/** A whole number: label, default, [least, most, step], help, until when it may change. */
export const integer = numberField('integer');
/** A finite number: the same. */
export const number = numberField('number');

export const toggle = (label: string, value: boolean, help: string, live: Live = 'no'): BooleanField => ({
  kind: 'boolean',
  label,
  default: value,
  help,
  live,
});

export const choice = <const Value extends string>(
  label: string,
  value: Value,
  options: readonly { value: Value; label: string }[],
  help: string,
  live: Live = 'no',
): ChoiceField<Value> => ({ kind: 'choice', label, default: value, options, help, live });

/** The registered parts of a kind as the options of a choice. */
export const optionsOf = <const Id extends string>(
  parts: readonly { id: Id; label: string }[],
): { value: Id; label: string }[] => parts.map(({ id, label }) => ({ value: id, label }));

export const name = (label: string, value: string, help: string): NameField => ({
  kind: 'name',
  label,
  default: value,
  help,
  live: 'no',
});

export const weightsField = (label: string, help: string, live: Live): WeightsField => ({
  kind: 'weights',
  label,
  default: [],
  help,
  live,
});

export const pinsField = (label: string, help: string, live: Live): PinsField => ({
  kind: 'pins',
  label,
  default: [],
  help,
  live,
});

export const MOST_PINS = 4096;

const PIN = /^(?:[dl]\d{1,6}|[am]\d{1,4}\.\d{1,6})[!-]$/;

/** The schema of a field's value, with one sentence for whatever else is given. */
export function fieldSchema(field: Field, key: string): z.ZodType<FieldValue> {
  const title = `${field.label} (${key})`;
  switch (field.kind) {
    case 'integer':
    case 'number': {
      const whole = field.kind === 'integer';
      const error = `${title} must be a${whole ? ' whole' : ''} number from ${field.min} to ${field.max}`;
      const base = whole ? z.int({ error }) : z.number({ error });
      return base.min(field.min, { error }).max(field.max, { error });
    }
    case 'boolean':
      return z.boolean({ error: `${title} must be true or false` });
    case 'choice': {
      const values = field.options.map(({ value }) => value);
      return z.enum(values, { error: `${title} must be one of: ${values.join(', ')}` });
    }
    case 'name':
      return z
        .string({ error: `${title} must be a name` })
        .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, { error: `${title} must be a short lower-case name` });
    case 'weights': {
      const error = `${title} must be a list of up to ${MOST_DOMAINS} weights from 0 to 1000, not all zero`;
      return z
        .array(z.number({ error }).min(0, { error }).max(1000, { error }), { error })
        .max(MOST_DOMAINS, { error })
        .refine((w) => w.length === 0 || w.some((x) => x > 0), { error });
    }
    case 'pins': {
      const error = `${title} must be a list of up to ${MOST_PINS} units such as a2.1- (head 1 of layer 2 closed) or l3! (layer 3 kept)`;
      return z
        .array(z.string({ error }).regex(PIN, { error }), { error })
        .max(MOST_PINS, { error })
        .refine((pins) => new Set(pins.map((pin) => pin.slice(0, -1))).size === pins.length, { error });
    }
  }
}
