import { describe, expect, it } from 'vitest';
import { DOMAINS } from './recipe.mjs';
import { fillShares, selectDocuments } from './select.mjs';

describe('fillShares', () => {
  it('gives what a small source leaves to the others, by share', () => {
    const quotas = fillShares(
      [
        { name: 'small', share: 50, size: 10 },
        { name: 'one', share: 30, size: 1000 },
        { name: 'two', share: 20, size: 1000 },
      ],
      110,
    );
    expect(Object.fromEntries(quotas)).toEqual({ small: 10, one: 60, two: 40 });
  });
});

/** A word of its own for each number, without digits: those do not count in comparisons. */
const spelled = (n: number) => Array.from(String(n), (digit) => 'abcdefghij'[Number(digit)]).join('');

describe('selectDocuments', () => {
  const domain = DOMAINS[0]!;
  const documents = Array.from({ length: 400 }, (_, i) => ({
    id: `page-${i}`,
    text: `${spelled(i)} is the word of this page. `.repeat(10),
  }));
  const read = (source: { name: string }) => (source === domain.sources[0] ? documents : []);

  const idsOf = (split: string) =>
    new Set(
      selectDocuments([domain], read)
        .filter((document) => document.split === split)
        .map(({ id }) => id),
    );

  it('keeps a document in one split, about 8 % of them in validation and in test', () => {
    const chosen = selectDocuments([domain], read);
    expect(new Set(chosen.map(({ id }) => id)).size).toBe(chosen.length);
    const [validation, test] = ['validation', 'test'].map(idsOf);
    // Binomial(400, .08) has mean 32 and standard deviation 5.4: three of these to either side.
    for (const held of [validation!, test!]) {
      expect(held.size).toBeGreaterThan(15);
      expect(held.size).toBeLessThan(49);
    }
  });

  it('keeps documents of one group together', () => {
    const grouped = documents.map((document, i) => ({ ...document, group: `g${Math.floor(i / 4)}` }));
    const chosen = selectDocuments([domain], (source) => (source === domain.sources[0] ? grouped : []));
    const splits = new Set(chosen.map(({ group, split }) => `${group} ${split}`));
    expect(splits.size).toBe(100);
  });

  it('takes what training shares with held-out text out of training', () => {
    const [heldOut] = idsOf('validation');
    const [kept] = idsOf('train');
    const passage =
      'a run of more than thirteen words that stands in one document of either split by mistake';
    const both = documents.map(({ id, text }) =>
      id === heldOut || id === kept ? { id, text: `${text}\n\n${passage}` } : { id, text },
    );
    const chosen = selectDocuments([domain], (source) => (source === domain.sources[0] ? both : []));
    expect(chosen.filter(({ text }) => text.includes(passage)).map(({ id }) => id)).toEqual([heldOut]);
  });

  it('does not depend on the order in which documents are read', () => {
    const backwards = selectDocuments([domain], (source) => [...read(source)].reverse());
    expect(backwards).toEqual(selectDocuments([domain], read));
  });
});
