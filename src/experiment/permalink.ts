import { plain } from '../formats/refusal';
import {
  defaultExperiment,
  experimentSchema,
  EXPERIMENT_FIELDS,
  type Experiment,
  type Field,
} from './schema';

type Value = number | boolean | string | number[];

const VERSION = '1';
/** A link with every field set has about 1,500 characters. */
const MAX_LENGTH = 20_000;
const MAX_PROBLEMS = 12;

/** The value at a field's dotted path. */
export function fieldValue(experiment: Experiment, field: Field): Value {
  let node: unknown = experiment;
  for (const part of field.key.split('.')) node = (node as Record<string, unknown>)[part];
  return node as Value;
}

/** A copy of `experiment` with one field changed; the value is not checked. */
export function withFieldValue(experiment: Experiment, field: Field, value: Value): Experiment {
  const [first, ...rest] = field.key.split('.');
  const replace = (node: object, key: string, path: string[]): object => ({
    ...node,
    [key]: path.length ? replace((node as Record<string, object>)[key]!, path[0]!, path.slice(1)) : value,
  });
  return replace(experiment, first!, rest) as Experiment;
}

/** Numbers are written in the shortest form that reads back exactly. */
function writeValue(value: Value): string {
  return Array.isArray(value) ? value.map(String).join(',') : String(value);
}

/**
 * The experiment as a query string without `?`: dotted keys of EXPERIMENT_FIELDS, only what differs from the
 * defaults, `v=1` in front; empty when nothing differs.
 */
export function encodePermalink(experiment: Experiment): string {
  const usual = defaultExperiment();
  const pairs: string[] = [];
  for (const field of EXPERIMENT_FIELDS) {
    const text = writeValue(fieldValue(experiment, field));
    if (text === writeValue(fieldValue(usual, field))) continue;
    // Commas and the few other characters in values are allowed in a query as they are.
    pairs.push(`${field.key}=${encodeURIComponent(text).replaceAll('%2C', ',')}`);
  }
  return pairs.length ? [`v=${VERSION}`, ...pairs].join('&') : '';
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function readNumber(text: string): number {
  return text.length <= 40 && NUMBER.test(text) ? Number(text) : NaN;
}

interface Reading {
  value: Value;
  /** What was wrong with the text and what was taken instead; null if it was right. */
  problem: string | null;
}

/** Reads one field, offering the nearest legal value where there is one and the default where not. */
function readValue(field: Field, text: string): Reading {
  const name = `${field.label} (${field.key})`;
  const given = `“${plain(text)}”`;
  const usual: Value = field.kind === 'weights' ? [...field.default] : field.default;
  const fallBack = (rule: string): Reading => {
    const shown = writeValue(usual) || 'empty';
    return { value: usual, problem: `${name} must be ${rule}, not ${given}: ${shown} is used.` };
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
  }
}

export interface Permalink {
  experiment: Experiment;
  /** One sentence for each thing in the link that could not be taken as it is. */
  problems: string[];
}

/**
 * Reads an experiment from a query string (with or without `?`), and never throws: an unknown key or a bad
 * value becomes a sentence, numbers are clamped into their range, the rest falls back to its default.
 *
 * @param ignored keys that belong to the page and not to the experiment, such as `embed`
 */
export function decodePermalink(search: string, ignored: readonly string[] = []): Permalink {
  let experiment = defaultExperiment();
  const problems: string[] = [];
  if (search.length > MAX_LENGTH) {
    return {
      experiment,
      problems: [`The link has ${search.length} characters, more than ${MAX_LENGTH}: the defaults are used.`],
    };
  }
  const fields = new Map(EXPERIMENT_FIELDS.map((field) => [field.key, field]));
  const seen = new Set<string>();
  for (const [key, text] of new URLSearchParams(search)) {
    if (ignored.includes(key)) continue;
    if (seen.has(key)) {
      problems.push(`The link gives ${plain(key)} more than once: the first is used.`);
      continue;
    }
    seen.add(key);
    if (key === 'v') {
      if (text !== VERSION) {
        problems.push(`The link has version v=${plain(text)}: it is read as version ${VERSION}.`);
      }
      continue;
    }
    const field = fields.get(key);
    if (!field) {
      problems.push(`The link has the unknown setting “${plain(key)}”: it is left out.`);
      continue;
    }
    const { value, problem } = readValue(field, text);
    if (problem) problems.push(problem);
    const changed = withFieldValue(experiment, field, value);
    // Rules of names and lists are the schema's own; of the other kinds `readValue` gives legal values only.
    const judged =
      field.kind === 'name' || field.kind === 'weights' ? experimentSchema.safeParse(changed) : null;
    if (!judged || judged.success) experiment = changed;
    else problems.push(`${judged.error.issues[0]!.message}, not “${plain(text)}”: the default is used.`);
  }
  if (problems.length > MAX_PROBLEMS) {
    const more = problems.length - MAX_PROBLEMS + 1;
    problems.splice(MAX_PROBLEMS - 1, more, `The link has ${more} more settings that could not be read.`);
  }
  return { experiment, problems };
}
