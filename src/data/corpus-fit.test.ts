import { readFile } from 'node:fs/promises';
import { expect, describe, it } from 'vitest';
import { checkCorpusFits, loadModelTokenizer } from './corpus-fit';
import { loadTokenizer } from './tokenizer';

interface TokenizerJson {
  added_tokens: object[];
  pre_tokenizer: object;
  model: { vocab: Record<string, number> };
}
const json = JSON.parse(
  await readFile(new URL('../../public/corpus/tokenizer.json', import.meta.url), 'utf8'),
) as TokenizerJson;
const corpus = loadTokenizer(json);
const changed = (change: (copy: TokenizerJson) => void) => {
  const copy = structuredClone(json);
  change(copy);
  return loadTokenizer(copy);
};

describe('a model and the corpus', () => {
  it('fit when they share the tokenizer, also in a larger vocabulary', () => {
    checkCorpusFits({ vocabSize: 2048 }, loadTokenizer(json), corpus);
    checkCorpusFits({ vocabSize: 2304 }, loadTokenizer(json), corpus);
    const more = changed((copy) => copy.added_tokens.push({ id: 2048, content: '<pad>', special: true }));
    checkCorpusFits({ vocabSize: 2304 }, more, corpus);
    checkCorpusFits({ vocabSize: 2048 }, null, corpus);
  });

  it.each([
    ['fewer tokens', 1024, json, /1024 tokens, the corpus 2048/],
    ['no tokenizer and another size', 4096, null, /no tokenizer\.json/],
  ] as const)('do not fit with %s', (_, vocabSize, tokenizer, message) => {
    const own = tokenizer && loadTokenizer(tokenizer);
    expect(() => checkCorpusFits({ vocabSize }, own, corpus)).toThrow(message);
  });

  it('do not fit when ids mean other words', () => {
    const swapped = changed(
      ({ model: { vocab } }) => ([vocab['A'], vocab['B']] = [vocab['B']!, vocab['A']!]),
    );
    expect(() => checkCorpusFits({ vocabSize: 32_000 }, swapped, corpus)).toThrow(
      /another vocabulary than the bundled corpus \("A" is 34, in the corpus 33\).*perplexity MODEL --tokens FILE/,
    );
  });

  it('do not fit when text is cut in other places', () => {
    const spaced = changed(
      (copy) => (copy.pre_tokenizer = { ...copy.pre_tokenizer, add_prefix_space: true }),
    );
    expect(() => checkCorpusFits({ vocabSize: 2048 }, spaced, corpus)).toThrow(/other places/);
  });

  it('a tokenizer with more ids than the model has embeddings is refused', () => {
    expect(() => loadModelTokenizer({ vocabSize: 2000 }, json, null)).toThrow(
      'tokenizer.json: it has token ids up to 2047, but vocab_size in config.json is 2000',
    );
    expect(loadModelTokenizer({ vocabSize: 2000 }, null, null)).toBeNull();
  });
});
