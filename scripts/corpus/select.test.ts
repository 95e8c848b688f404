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

describe('selectDocuments', () => {
  const domain = DOMAINS[0]!;
  const documents = Array.from({ length: 400 }, (_, i) => ({
    id: `page-${i}`,
    text: `${String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 7))} ${`word${'x'.repeat(i)} `.repeat(30)}`,
  }));
  const read = (source: { name: string }) => (source === domain.sources[0] ? documents : []);

  it('keeps a document on one side, about 8 % of them in validation', () => {
    const { train, validation } = selectDocuments(domain, read);
    const held = new Set(validation.map(({ id }) => id));
    expect(train.some(({ id }) => held.has(id))).toBe(false);
    expect(held.size).toBeGreaterThan(15);
    expect(held.size).toBeLessThan(55);
  });

  it('does not depend on the order in which documents are read', () => {
    const backwards = selectDocuments(domain, (source) => [...read(source)].reverse());
    expect(backwards).toEqual(selectDocuments(domain, read));
  });
});
