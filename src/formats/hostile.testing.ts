import fc from 'fast-check';
import { expect } from 'vitest';
import { InputError } from './refusal';

/** For tests: what a broken or hostile file, link or message may hold, in one place. */

/** Values that stand where something else belongs. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -0,
    -1,
    0.5,
    7,
    1e9,
    2 ** 31,
    2 ** 53,
    1e308,
    -1e308,
    5e-324,
    '',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    'NaN',
    '1e308',
    '=1+1',
    '<script>alert(1)</script>',
    'line\nbreak\u2028\u0000\u202e',
    '\ud800',
    'x'.repeat(100_000),
    [],
    {},
    [[[[]]]],
    Array.from({ length: 5000 }, () => 1e308),
    JSON.parse('{"__proto__": {"polluted": true}}'),
    JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`),
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 20 }),
);

const hostileKey = fc.constantFrom('__proto__', 'constructor', 'toString', '', 'x'.repeat(5000), 'a\nb', '0');

interface Change {
  /** Where: a share of the keys at each level, as long as there are levels. */
  path: number[];
  kind: 'replace' | 'delete' | 'add' | 'copy';
  key: string;
  value: unknown;
}

const anyChange: fc.Arbitrary<Change> = fc.record({
  path: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 6 }),
  kind: fc.constantFrom('replace', 'replace', 'replace', 'delete', 'add', 'copy'),
  key: hostileKey,
  value: hostileValue,
});

function applyChange(document: unknown, { path, kind, key, value: shared }: Change): unknown {
  const value: unknown = structuredClone(shared);
  let node = document;
  for (const [level, share] of path.entries()) {
    if (typeof node !== 'object' || node === null) return document;
    const record = node as Record<string, unknown>;
    const keys = Object.keys(record);
    const chosen = keys[Math.floor(share * keys.length)];
    if (chosen === undefined) return document;
    const child = record[chosen];
    const isLeaf = typeof child !== 'object' || child === null;
    if (level === path.length - 1 || isLeaf) {
      // Own properties only: that is what JSON.parse gives a hostile key, too.
      const set = (name: string, to: unknown) =>
        Object.defineProperty(record, name, {
          value: to,
          enumerable: true,
          writable: true,
          configurable: true,
        });
      if (kind === 'delete' && !Array.isArray(record)) delete record[chosen];
      else if (kind === 'delete') (record as unknown as unknown[]).splice(Number(chosen), 1);
      else if (kind === 'add' && !Array.isArray(record)) set(key, value);
      else if (kind === 'copy') set(chosen, structuredClone(record[keys[0]!]));
      else set(chosen, value);
      return document;
    }
    node = child;
  }
  return document;
}

/** A valid JSON document with one to three places changed, or something else altogether. */
export function brokenDocument(valid: unknown): fc.Arbitrary<unknown> {
  const text = JSON.stringify(valid);
  return fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .array(anyChange, { minLength: 1, maxLength: 3 })
        .map((changes) => changes.reduce(applyChange, JSON.parse(text) as unknown)),
    },
    { weight: 1, arbitrary: hostileValue },
  );
}

/** The text of a valid file, cut off, with characters changed, or with other text in it. */
export function brokenText(valid: string): fc.Arbitrary<string> {
  const place = fc.nat(valid.length);
  return fc.oneof(
    place.map((end) => valid.slice(0, end)),
    fc
      .tuple(place, fc.string({ maxLength: 8, unit: 'binary' }))
      .map(([at, text]) => valid.slice(0, at) + text + valid.slice(at + text.length)),
    fc.tuple(place, place).map(([a, b]) => valid.slice(0, a) + valid.slice(b)),
    fc.constantFrom(
      '',
      '\ufeff',
      'null',
      '[]',
      `${'['.repeat(100_000)}`,
      `${'{"a":'.repeat(50_000)}`,
      '"'.repeat(9999),
    ),
    fc.string({ unit: 'binary' }),
  );
}

/** The bytes of a valid file, cut off, with bytes changed or removed. */
export function brokenBytes(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(valid.length - 1);
  const patches = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 });
  return fc.oneof(
    place.map((end) => valid.slice(0, end)),
    patches.map((list) => {
      const copy = valid.slice();
      for (const [at, byte] of list) copy[at] = byte;
      return copy;
    }),
    fc.tuple(place, place).map(([a, b]) => Uint8Array.from([...valid.subarray(0, a), ...valid.subarray(b)])),
    fc.uint8Array({ maxLength: 64 }),
  );
}

/** Longest time that a refusal may take here; far above what it takes, far below what a visitor calls a hang. */
const MAX_MILLISECONDS = 2000;

/**
 * Runs `read` on something hostile: it must give a value or throw an InputError of one plain sentence.
 *
 * @returns the value, or null when it was refused.
 */
export function valueOrSentence<T>(read: () => T): T | null {
  const start = performance.now();
  try {
    return read();
  } catch (error) {
    expectSentence(error);
    return null;
  } finally {
    expect(performance.now() - start).toBeLessThan(MAX_MILLISECONDS);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
  }
}

/** One line, short, no words of the machine's, and a field or file in front. */
export function expectSentence(error: unknown): void {
  // Anything but an InputError is a mistake in the code that met the input: show it whole.
  if (!(error instanceof InputError)) throw error;
  expect(error.message.length).toBeLessThan(300);
  expect(error.message).toMatch(/^[^:]{1,100}: \P{C}{10,}$/u);
  expect(error.message).not.toMatch(/undefined|\[object|Invalid input|^\s*at |\.ts:|NaN must|expected/);
}
