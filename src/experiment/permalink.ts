import { valueAt, withValueAt } from '../fields/table';
import { readValue, writeValue } from './field-text';
import { plain } from '../formats/refusal';
import { decodeInterventions, encodeInterventions } from './intervention-link';
import type { Intervention, Plan } from './interventions';
import { defaultExperiment, experimentSchema, findField, EXPERIMENT_FIELDS, type Experiment } from './schema';

const VERSION = '2';
/** Left-out fields of a link of version 1 have the defaults of that time. */
const VERSION_1 = '1';
/** The key of the interventions. */
const CHANGES = 'at';
/** A longer link is not read; one with every field set has about 1,500 characters. */
export const MAX_LENGTH = 20_000;
const MAX_PROBLEMS = 12;

/**
 * A plan as a query string without `?`: dotted keys of EXPERIMENT_FIELDS, only what differs from the defaults, then
 * the changes on the way as `at=…`, `v=2` in front; empty when nothing differs.
 */
export function encodePermalink({ experiment, interventions }: Plan): string {
  const defaults = defaultExperiment();
  const pairs: string[] = [];
  for (const field of EXPERIMENT_FIELDS) {
    const text = writeValue(valueAt(experiment, field.key));
    if (text === writeValue(valueAt(defaults, field.key))) continue;
    // Commas and the few other characters in values are allowed in a query as they are.
    pairs.push(`${field.key}=${encodeURIComponent(text).replaceAll('%2C', ',')}`);
  }
  if (interventions.length) pairs.push(`${CHANGES}=${encodeInterventions(interventions)}`);
  return pairs.length ? [`v=${VERSION}`, ...pairs].join('&') : '';
}

export interface Permalink {
  experiment: Experiment;
  interventions: Intervention[];
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
  const parameters = new URLSearchParams(search.length > MAX_LENGTH ? '' : search);
  let experiment = defaultExperiment(parameters.get('v') === VERSION_1 ? 1 : 2);
  let interventions: Intervention[] = [];
  const problems: string[] = [];
  if (search.length > MAX_LENGTH) {
    return {
      experiment,
      interventions,
      problems: [`The link has ${search.length} characters, more than ${MAX_LENGTH}: the defaults are used.`],
    };
  }
  const seen = new Set<string>();
  for (const [key, text] of parameters) {
    if (ignored.includes(key)) continue;
    if (seen.has(key)) {
      problems.push(`The link gives ${plain(key)} more than once: the first is used.`);
      continue;
    }
    seen.add(key);
    if (key === 'v') {
      if (text !== VERSION && text !== VERSION_1) {
        problems.push(`The link has version v=${plain(text)}: it is read as version ${VERSION}.`);
      }
      continue;
    }
    if (key === CHANGES) {
      const read = decodeInterventions(text);
      interventions = read.interventions;
      problems.push(...read.problems);
      continue;
    }
    const field = findField(key);
    if (!field) {
      problems.push(`The link has the unknown setting “${plain(key)}”: it is left out.`);
      continue;
    }
    const { value, problem } = readValue(field, text);
    if (problem) problems.push(problem);
    const changed = withValueAt(experiment, field.key, value);
    // Rules of names and lists are the schema's own; of the other kinds `readValue` gives legal values only.
    const judged =
      field.kind === 'name' || field.kind === 'weights' || field.kind === 'pins'
        ? experimentSchema.safeParse(changed)
        : null;
    if (!judged || judged.success) experiment = changed;
    else problems.push(`${judged.error.issues[0]!.message}, not “${plain(text)}”: the default is used.`);
  }
  if (problems.length > MAX_PROBLEMS) {
    const more = problems.length - MAX_PROBLEMS + 1;
    problems.splice(MAX_PROBLEMS - 1, more, `The link has ${more} more settings that could not be read.`);
  }
  return { experiment, interventions, problems };
}
