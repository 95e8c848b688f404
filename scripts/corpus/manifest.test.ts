import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sha256 } from './hash.mjs';
import { DOMAINS } from './recipe.mjs';

const CORPUS = 'public/corpus';
type File = { file: string; tokens: number; sha256: string };
const manifest = JSON.parse(readFileSync(`${CORPUS}/manifest.json`, 'utf8')) as {
  tokenizer: { file: string; sha256: string; vocab_size: number; eos_token_id: number };
  domains: {
    name: string;
    weight: number;
    train: { tokens: number; documents: number; shards: File[] };
    validation: File & { documents: number };
    test: File & { documents: number };
  }[];
};

function readTokens(domain: string, { file, tokens, sha256: expected }: File) {
  const bytes = readFileSync(`${CORPUS}/${domain}/${file}`);
  expect(sha256(bytes), file).toBe(expected);
  expect(bytes.length).toBe(2 * tokens);
  return new Uint16Array(Uint8Array.from(bytes).buffer);
}

it('names the domains of the recipe; their weights make one', () => {
  expect(manifest.domains.map(({ name }) => name)).toEqual(DOMAINS.map(({ name }) => name));
  expect(manifest.domains.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
  expect(sha256(readFileSync(`${CORPUS}/${manifest.tokenizer.file}`))).toBe(manifest.tokenizer.sha256);
});

it.each(manifest.domains)(
  '$name: files, hashes, ids and documents are as listed',
  ({ name, train, validation, test }) => {
    const { eos_token_id, vocab_size } = manifest.tokenizer;
    for (const [files, listed] of [
      [train.shards, train],
      [[validation], validation],
      [[test], test],
    ] as const) {
      const streams = files.map((file) => readTokens(name, file));
      const count = (value: (tokens: Uint16Array) => number) =>
        streams.reduce((sum, tokens) => sum + value(tokens), 0);
      expect(count((tokens) => tokens.length)).toBe(listed.tokens);
      expect(count((tokens) => tokens.filter((id) => id >= vocab_size).length)).toBe(0);
      expect(count((tokens) => tokens.filter((id) => id === eos_token_id).length)).toBe(listed.documents);
      expect(streams.at(-1)?.at(-1)).toBe(eos_token_id);
    }
    expect(Math.min(validation.tokens, test.tokens)).toBeGreaterThanOrEqual(50_000);
  },
);
