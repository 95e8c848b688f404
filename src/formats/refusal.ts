import { z } from 'zod';

/** What came from outside cannot be used. The message is one sentence that names the field and the fix. */
export class InputError extends Error {
  override name = 'InputError';
}

const MAX_QUOTED = 60;
const MAX_SENTENCE = 280;

/** A value from outside, made safe to stand in a sentence: one line, short, in quotes if it is a text. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${plain(value)}"`;
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A name from outside without quotes: control characters replaced, at most 60 characters. */
export function plain(text: string): string {
  // Cut first: a hostile name may be megabytes long.
  const head = text.slice(0, MAX_QUOTED).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '·');
  return text.length > MAX_QUOTED ? `${head}…` : head;
}

/** @throws InputError always: `subject: message`, kept to one line and under 300 characters. */
export function refuse(subject: string, message: string): never {
  const sentence = `${subject}: ${message}`;
  throw new InputError(sentence.length > MAX_SENTENCE ? `${sentence.slice(0, MAX_SENTENCE)}…` : sentence);
}

const found = (input: unknown) => (input === undefined ? 'it is missing' : `it is ${quoted(input)}`);

/** A whole number in a range, with one sentence for whatever else is there. */
export function wholeNumber(min: number, max: number): z.ZodInt {
  const rule = `must be a whole number from ${min} to ${max}`;
  const error = (issue: { input?: unknown }) => `${rule}, but ${found(issue.input)}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A finite number in a range, with one sentence for whatever else is there. */
export function numberWithin(min: number, max: number): z.ZodNumber {
  const rule = `must be a number from ${min} to ${max}`;
  const error = (issue: { input?: unknown }) => `${rule}, but ${found(issue.input)}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

type Issue = z.core.$ZodRawIssue;

/** What a value must be, for issues whose schema has no sentence of its own. */
function phrase(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted: Record<string, string> = {
        number: 'a finite number',
        string: 'a text',
        boolean: 'true or false',
        array: 'a list',
        object: 'an object',
        record: 'an object',
        null: 'null',
      };
      return `must be ${wanted[issue.expected] ?? issue.expected}, but ${found(issue.input)}`;
    }
    case 'too_small':
      return bound(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, 'at most', issue.maximum);
    case 'unrecognized_keys':
      return `must not have the field ${quoted(issue.keys[0])}`;
    case 'invalid_value':
      return `must be ${issue.values.map((v) => quoted(v)).join(' or ')}, not ${quoted(issue.input)}`;
    case 'invalid_format':
      return `must be well formed, which ${quoted(issue.input)} is not`;
    case 'invalid_key':
      return 'must not have such a name';
    default:
      return 'must be one of the forms that docs/formats.md lists';
  }
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'array' || origin === 'set') return `must have ${relation} ${limit} entries`;
  if (origin === 'string') return `must have ${relation} ${limit} characters`;
  return `must be ${relation} ${limit}`;
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  // A message that starts with "must" is a predicate that wants its field in front; any other is a sentence.
  if (!issue.message.startsWith('must ')) return issue.message;
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${plain(String(part))}`));
  return `${path.join('').replace(/^\./, '') || 'it'} ${issue.message}`;
}

/**
 * Checks a value from outside against its schema.
 *
 * @throws InputError with the first thing that is wrong, as `subject: field must be …`.
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, subject: string): T {
  const result = schema.safeParse(value, { error: phrase });
  if (result.success) return result.data;
  return refuse(subject, sentenceOf(result.error.issues[0]!));
}

/** Parses JSON from outside. `maxBytes` bounds the time. @throws InputError */
export function parseJson(
  source: string | Uint8Array | ArrayBuffer,
  subject: string,
  maxBytes = 64e6,
): unknown {
  const size = typeof source === 'string' ? source.length : source.byteLength;
  if (size > maxBytes)
    refuse(subject, `must be at most ${maxBytes / 1e6} MB, but it has ${(size / 1e6).toFixed(1)} MB`);
  let text: string;
  try {
    // The decoder drops a byte order mark, which editors put first and JSON.parse refuses.
    text =
      typeof source === 'string'
        ? source.replace(/^\uFEFF/, '')
        : new TextDecoder('utf-8', { fatal: true }).decode(source);
  } catch {
    return refuse(subject, 'must be UTF-8 text');
  }
  try {
    return JSON.parse(text);
  } catch {
    return refuse(subject, 'must be JSON: it is cut off or malformed');
  }
}
