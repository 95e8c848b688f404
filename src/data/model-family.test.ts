import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  findModelCard,
  fitFamily,
  isExtrapolated,
  readFamily,
  readModelCard,
  readModelList,
} from './model-family';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).buffer;

/** A site of models by name: their cards, or null for a model without one. */
function siteOf(cards: Record<string, object | null>) {
  const asked: string[] = [];
  const entry = (name: string, i: number) => ({
    name,
    title: name,
    description: name,
    parameters: 1e6 * (9 - i),
    bytes: 4e6,
  });
  const read = async (path: string) => {
    asked.push(path);
    const card = cards[path.split('/')[1]!];
    if (path === 'models/index.json') return bytesOf(Object.keys(cards).map(entry));
    if (!card) throw new Error(`The file ${path} could not be loaded.`);
    return bytesOf(card);
  };
  return { read, asked };
}

const card = (name: string, parameters: number, loss: number, changes: object = {}) => ({
  name,
  parameters,
  tokens_trained: 1e7,
  context: 256,
  validation_loss: { books: loss + 0.3, code: loss },
  corpus_tokenizer_sha256: 'one',
  weights_sha256: `weights of ${name}`,
  ...changes,
});

describe('readFamily', () => {
  it('takes the models with the source’s tokenizer, length of windows and budget, smallest first', async () => {
    const { read, asked } = siteOf({
      large: card('large', 4e6, 3.1),
      small: card('small', 4e5, 4),
      medium: card('medium', 1.2e6, 3.5, { tokens_trained: 1.00005e7 }),
      foreign: card('foreign', 2e6, 3.3, { corpus_tokenizer_sha256: 'another' }),
      short: card('short', 2e6, 3.3, { context: 128 }),
      longer: card('longer', 2e6, 3.2, { tokens_trained: 2e7 }),
      nameless: null,
      broken: { name: 'broken' },
    });
    const family = await readFamily(read, 'weights of small');
    expect(family.map(({ name }) => name)).toEqual(['small', 'medium', 'large']);
    // Cards are small; the models themselves stay where they are.
    expect(asked.every((path) => path.endsWith('.json'))).toBe(true);
    expect(await readFamily(read, 'weights of foreign')).toHaveLength(1);
    expect(await readFamily(read, 'weights of broken')).toEqual([]);
    // A folder may bear a member's name, and the same weights may lie in a folder of any name.
    expect(await readFamily(read, 'small')).toEqual([]);
    expect(await readFamily(read, null)).toEqual([]);
    expect((await findModelCard(read, 'weights of large'))?.name).toBe('large');
    expect(await findModelCard(read, 'other weights')).toBeNull();
  });

  it.each([
    ['no list', {}],
    ['an entry without a size', [{ name: 'a', title: 'a', description: 'a' }]],
    [
      'a name that leaves the folder',
      [{ name: '../a', title: 'a', description: 'a', parameters: 1, bytes: 1 }],
    ],
  ])('refuses %s', async (_, list) => {
    await expect(readModelList(() => Promise.resolve(bytesOf(list)))).rejects.toThrow('models/index.json');
  });
});

describe('fitFamily', () => {
  const family = [card('a', 4e5, 4), card('b', 1.2e6, 3.5), card('c', 4e6, 3.1)];

  it('goes through the losses of every domain that all members have', () => {
    const more = { ...family[0]!, validation_loss: { ...family[0]!.validation_loss, songs: 3 } };
    const fits = fitFamily([more, ...family.slice(1)]);
    expect(fits.map(({ domain }) => domain)).toEqual(['books', 'code']);
    for (const { fit, points } of fits) {
      expect(points.map(({ parameters }) => parameters)).toEqual([4e5, 1.2e6, 4e6]);
      expect(fit).toHaveProperty('law.b', expect.closeTo(0.24, 1) as number);
    }
  });

  it('says by domain why there is no law', () => {
    const worse = { ...family[2]!, validation_loss: { books: 3.4, code: 5 } };
    const [books, code] = fitFamily([...family.slice(0, 2), worse]);
    expect(books!.fit).toHaveProperty('law');
    expect(code!.fit).toEqual({ problem: expect.stringMatching(/scaling law|power law/) as string });
    expect(fitFamily(family.slice(0, 2))[0]!.fit).toHaveProperty('problem');
    expect(fitFamily([])).toEqual([]);
  });

  it('knows what lies outside of the family’s sizes', () => {
    expect(isExtrapolated(family, 3.9e5)).toBe(true);
    expect(isExtrapolated(family, 4e5)).toBe(false);
    expect(isExtrapolated(family, 2e6)).toBe(false);
    expect(isExtrapolated(family, 5e6)).toBe(true);
  });
});

it('the list of models says what the folders hold', async () => {
  const read = (path: string) => Promise.resolve(new Uint8Array(readFileSync(`public/${path}`)).buffer);
  for (const { name, parameters, bytes } of await readModelList(read)) {
    expect(await readModelCard(read, name)).toMatchObject({ name, parameters });
    expect(statSync(`public/models/${name}/model.safetensors`).size).toBe(bytes);
  }
});
