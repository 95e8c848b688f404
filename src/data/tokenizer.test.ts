import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from './tokenizer';

const bundled = async () =>
  JSON.parse(
    await readFile(new URL('../../public/corpus/tokenizer.json', import.meta.url), 'utf8'),
  ) as Record<string, unknown> & { model: { vocab: Record<string, number> } };

describe('loadTokenizer', () => {
  it('gives any text back, byte for byte', async () => {
    const tokenizer = loadTokenizer(await bundled());
    expect(tokenizer.vocabSize).toBe(2048);
    const texts = [
      'It was a bright day .',
      "  don't\n\tstop !\n\n",
      'naïve café – 東京 🦙',
      'if (a[i] <= 0) { b(); }',
      '',
    ];
    for (const text of texts) {
      const ids = tokenizer.encode(text);
      expect(tokenizer.decode(ids)).toBe(text);
      expect(ids.every((id) => id >= 0 && id < 2048)).toBe(true);
    }
    expect(tokenizer.encode('the the the').length).toBeLessThan(5);
  });

  it('knows its special token and leaves it out of the text', async () => {
    const tokenizer = loadTokenizer(await bundled());
    expect(tokenizer.encode('a<|endoftext|>b')).toContain(0);
    expect(tokenizer.decode([0, ...tokenizer.encode('a'), 0])).toBe('a');
  });

  it('refuses what is no tokenizer in one sentence', async () => {
    const good = await bundled();
    expect(() => loadTokenizer(null)).toThrow('tokenizer.json: it must be an object, but it is null');
    expect(() => loadTokenizer({})).toThrow('tokenizer.json: model must be an object, but it is missing');
    expect(() => loadTokenizer({ ...good, model: { type: 'BPE', vocab: { a: -1 }, merges: [] } })).toThrow(
      'tokenizer.json: model.vocab.a must be a whole number from 0 to 1048575, but it is -1',
    );
    expect(() => loadTokenizer({ ...good, model: { ...good.model, vocab: {} }, added_tokens: [] })).toThrow(
      'model.vocab must have at least one token',
    );
    expect(() => loadTokenizer({ ...good, pre_tokenizer: { type: 'Nonsense' } })).toThrow(
      'tokenizer.json: its rules (model BPE) are incomplete or of a kind that the lab cannot run',
    );
    expect(() => loadTokenizer(good, 7)).toThrow('tokenizer_config.json: it must be an object');
  });
});
