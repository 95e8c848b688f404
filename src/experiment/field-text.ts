import type { FieldValue } from '../fields/field';
import { defaultOf } from '../fields/table';
import { plain } from '../formats/refusal';
import type { Field } from './schema';

/** Numbers are written in the shortest form that reads back exactly. */
export function writeValue(value: FieldValue): string {
  return Array.isArray(value) ? value.map(String).join(',') : String(value);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function readNumber(text: string): number {
  return text.length <= 40 && NUMBER.test(text) ? Number(text) : NaN;
}

interface Reading {
  value: FieldValue;
  /** What was wrong with the text and what was taken instead; null if it was right. */
  problem: string | null;
}

/** Reads one field, offering the nearest legal value where there is one and the default where not. */
export function readValue(field: Field, text: string): Reading {
  const name = `${field.label} (${field.key})`;
  const given = `“${plain(text)}”`;
  const defaults = defaultOf(field);
  const fallBack = (rule: string): Reading => {
    const shown = writeValue(defaults) || 'empty';
    return { value: defaults, problem: `${name} must be ${rule}, not ${given}: ${shown} is used.` };
  };
  switch (field.kind) {
    case 'integer':
    case 'number': {
      const rule = `a${field.kind === 'integer' ? ' whole' : ''} number from ${field.min} to ${field.max}`;
      const number = readNumber(text);
      if (Number.isNaN(number)) return fallBack(rule);
      const rounded = field.kind === 'integer' ? Math.round(number) : number;
      // Adding 0 turns −0 into 0.
      const value = Math.min(Math.max(rounded, field.min), field.max) + 0;
      const problem = value === number ? null : `${name} must be ${rule}, not ${given}: ${value} is used.`;
      return { value, problem };
    }
    case 'boolean':
      if (/^(true|1|on|yes)$/i.test(text)) return { value: true, problem: null };
      if (/^(false|0|off|no)$/i.test(text)) return { value: false, problem: null };
      return fallBack('true or false');
    case 'choice': {
      const found = field.options.find(({ value }) => value === text.toLowerCase());
      return found
        ? { value: found.value, problem: null }
        : fallBack(`one of ${field.options.map(({ value }) => value).join(', ')}`);
    }
    case 'name':
      return { value: text, problem: null };
    case 'weights':
      return { value: text === '' ? [] : text.split(',').map(readNumber), problem: null };
    case 'pins':
      return { value: text === '' ? [] : text.split(','), problem: null };
  }
}
