import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../data/tokenizer';
import { encodeRequests } from './request';

const tokenizer = loadTokenizer(JSON.parse(readFileSync('public/corpus/tokenizer.json', 'utf8')));
const model = { maxPositionEmbeddings: 64, bosTokenId: null, eosTokenId: 0 };
const encode = (context: string, ...continuations: string[]) =>
  encodeRequests(tokenizer, model, { id: 'i', context }, continuations);

describe('requests', () => {
  it('are context and continuation encoded together, split where the context ends', () => {
    const [request, other] = encode('The old man', ' went home', ' slept');
    expect(tokenizer.decode(request!.tokens)).toBe('The old man went home');
    expect(tokenizer.decode(request!.tokens.slice(-request!.scored))).toBe(' went home');
    expect(tokenizer.decode(other!.tokens.slice(-other!.scored))).toBe(' slept');
  });

  it('give spaces at the end of a context to the continuation', () => {
    expect(encode('The old man ', 'went')).toEqual(encode('The old man', ' went'));
    expect(encode('if x:\n  ', 'return')).toEqual(encode('if x:', '\n  return'));
  });

  it('put a text without context after the start of a document', () => {
    const [request] = encode('', 'The old man went home.');
    expect(request!.tokens).toEqual([0, ...tokenizer.encode('The old man went home.')]);
    expect(request!.scored).toBe(request!.tokens.length - 1);
    const withBos = encodeRequests(tokenizer, { ...model, bosTokenId: 1 }, { id: 'i', context: '' }, ['A']);
    expect(withBos[0]!.tokens[0]).toBe(1);
  });

  it('lose the beginning of what does not fit, and say so', () => {
    const long = 'one two three four five six seven eight nine ten '.repeat(10);
    const [whole] = encodeRequests(
      tokenizer,
      { ...model, maxPositionEmbeddings: 1000 },
      { id: 'i', context: long },
      ['eleven'],
    );
    const [cut] = encode(long, 'eleven');
    expect(whole!.truncated).toBe(false);
    expect(cut).toEqual({
      tokens: whole!.tokens.slice(-65),
      scored: whole!.scored,
      truncated: true,
    });
  });

  it('refuse an answer that cannot be scored, in one sentence', () => {
    expect(() => encode('A', ' word'.repeat(100))).toThrow(/item i has an answer of \d+ tokens/);
    const without = { ...model, eosTokenId: null };
    expect(() => encodeRequests(tokenizer, without, { id: 'i', context: '' }, ['A'])).toThrow(/bos_token_id/);
  });
});
