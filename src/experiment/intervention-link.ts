import { deflateSync, inflateSync, strFromU8, strToU8 } from 'fflate';
import { plain } from '../formats/refusal';
import { readValue, writeValue } from './field-text';
import { interventionsSchema, MOST_INTERVENTIONS, type Intervention } from './interventions';
import { findField } from './schema';

/** Longer ones are compressed: a hand on a slider makes many alike. */
const PLAIN_LENGTH = 300;
const COMPRESSED = 'z.';
/** What may come out of a compressed value. */
const MAX_TEXT = 200_000;

/**
 * Interventions as one value of a link: `120:target.hiddenSize=40~mixture.mode=constant;180:…`, or the same text
 * deflated in base64url behind `z.` where it is long. Characters that a query allows stand as they are.
 */
export function encodeInterventions(interventions: readonly Intervention[]): string {
  const text = interventions
    .map(({ at, changes }) => {
      const parts = Object.entries(changes).map(
        ([key, value]) =>
          `${key}=${encodeURIComponent(writeValue(value)).replaceAll('~', '%7E').replaceAll('%2C', ',')}`,
      );
      return `${at}:${parts.join('~')}`;
    })
    .join(';');
  if (text.length <= PLAIN_LENGTH) return text;
  const packed = btoa(String.fromCharCode(...deflateSync(strToU8(text), { level: 9 })));
  const short = `${COMPRESSED}${packed.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
  return short.length < text.length ? short : text;
}

/** Reads such a value as `URLSearchParams` gives it; what cannot be read is left out with a sentence. */
export function decodeInterventions(text: string): { interventions: Intervention[]; problems: string[] } {
  const plainText = text.startsWith(COMPRESSED) ? inflated(text.slice(COMPRESSED.length)) : text;
  if (plainText === null) {
    return { interventions: [], problems: ['The changes on the way (at) are damaged: they are left out.'] };
  }
  const problems: string[] = [];
  const interventions: Intervention[] = [];
  for (const part of plainText.split(';').slice(0, MOST_INTERVENTIONS)) {
    const [, step, list] = /^(\d{1,8}):(.+)$/s.exec(part) ?? [];
    if (step === undefined || list === undefined) {
      problems.push(`The change on the way “${plain(part)}” is left out: it must read step:setting=value.`);
      continue;
    }
    const changes: Intervention['changes'] = {};
    for (const pair of list.split('~')) {
      const split = pair.indexOf('=');
      const key = pair.slice(0, Math.max(0, split));
      const field = findField(key);
      if (!field) {
        problems.push(`The link changes the unknown setting “${plain(key)}”: it is left out.`);
        continue;
      }
      const { value, problem } = readValue(field, unescaped(pair.slice(split + 1)));
      if (problem) problems.push(problem);
      changes[key] = value;
    }
    const judged = interventionsSchema.safeParse([{ at: Number(step), changes }]);
    if (!judged.success) problems.push(`Step ${step}: ${judged.error.issues[0]!.message}; it is left out.`);
    else if (Object.keys(changes).length) interventions.push(...judged.data);
  }
  return { interventions: interventions.sort((a, b) => a.at - b.at), problems };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function inflated(packed: string): string | null {
  try {
    const bytes = atob(packed.replaceAll('-', '+').replaceAll('_', '/'));
    const deflated = Uint8Array.from(bytes, (c) => c.charCodeAt(0));
    // What would not fit is dropped: a link cannot fill the memory.
    return strFromU8(inflateSync(deflated, { out: new Uint8Array(MAX_TEXT) }));
  } catch {
    return null;
  }
}
