import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { createEncoder, END_OF_TEXT, tokenizerJson, trainBpe } from './bpe.mjs';

type TokenizerFile = { model: { vocab: Record<string, number>; merges: [string, string][] } };

const TEXT = 'the cat sat on the mat, the cat that sat there. ';
const library = (json: object) => new Tokenizer(json, { clean_up_tokenization_spaces: false });

describe('trainBpe', () => {
  it('merges the most frequent pair first', () => {
    const { merges } = trainBpe([TEXT.repeat(4)], 260);
    expect(merges[0]).toEqual(['a', 't']);
    expect(merges).toHaveLength(260 - 257);
  });

  it('puts the end of text at 0 and the bytes after it', () => {
    const { symbols } = trainBpe([TEXT], 258);
    expect(symbols[0]).toBe(END_OF_TEXT);
    expect(new Set(symbols).size).toBe(258);
  });
});

describe('createEncoder', () => {
  it('agrees with @huggingface/tokenizers and gives the text back', () => {
    const json = JSON.parse(readFileSync('public/corpus/tokenizer.json', 'utf8')) as TokenizerFile;
    const tokenizer = library(json);
    const { vocab, merges } = json.model;
    // By id: an object lists keys such as "7" before the others.
    const symbols = Object.keys(vocab).sort((a, b) => vocab[a]! - vocab[b]!);
    const encode = createEncoder({ symbols, merges });
    for (const text of ["it's 1862;  naïve\n\n\tx = 'é'", '  two\n  lines ', '漢字 🙂 \u00a0', TEXT]) {
      const ids = encode(text);
      expect(ids).toEqual(tokenizer.encode(text, { add_special_tokens: false }).ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
  });

  it('uses what tokenizerJson writes', () => {
    const bpe = trainBpe([TEXT.repeat(4)], 270);
    expect(library(tokenizerJson(bpe)).encode(TEXT).ids).toEqual(createEncoder(bpe)(TEXT));
  });
});
