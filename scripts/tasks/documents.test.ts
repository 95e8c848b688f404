import { expect, it } from 'vitest';
import { decodeDocuments, openTokenizer } from './documents.mjs';

it('parts a stream at its end tokens', () => {
  const bytes = Buffer.from(new Uint16Array([5, 300, 0, 0, 7, 0]).buffer);
  expect(decodeDocuments(bytes, 0, (ids) => ids.join())).toEqual(['5,300', '7']);
});

it('gives text back as it was, with the space before punctuation', () => {
  const { encode, decode } = openTokenizer('public/corpus');
  const text = 'the whale , it is said .\n\tx = "\u{1f40b}"';
  expect(encode(text).length).toBeLessThan(Buffer.byteLength(text));
  expect(decode(encode(text))).toBe(text);
});
