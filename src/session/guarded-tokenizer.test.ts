import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../data/tokenizer';
import { guardTokenizer } from './guarded-tokenizer';

const text = await readFile(new URL('../../public/corpus/tokenizer.json', import.meta.url), 'utf8');

it('gives out a tokenizer that works, and keeps every use under the deadline', () => {
  const kept: string[] = [];
  const plain = loadTokenizer(JSON.parse(text));
  const guarded = guardTokenizer(
    () => plain,
    (what, seconds, work) => {
      kept.push(`${what} ${seconds}`);
      return work();
    },
  );
  expect(kept).toHaveLength(1);
  expect(guarded?.encode('It was.')).toEqual(plain.encode('It was.'));
  expect(guarded?.decode(plain.encode('It was.'))).toBe('It was.');
  expect(kept).toHaveLength(3);
  expect(guardTokenizer(() => null)).toBeNull();
});
