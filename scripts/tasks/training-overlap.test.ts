import fc from 'fast-check';
import { expect, it } from 'vitest';
import { occurringIn, SHORTEST } from './training-overlap.mjs';

it('finds what String.includes finds, over texts that repeat themselves', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 300 });
  const needle = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: SHORTEST, maxLength: SHORTEST + 3 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3 }), fc.array(needle), (texts, others) => {
      const cutOut = texts.flatMap((one) =>
        one.length > SHORTEST ? [one.slice(1, 2 + SHORTEST), one.slice(-SHORTEST)] : [],
      );
      const needles = [...others, ...cutOut];
      expect(occurringIn(needles, texts)).toEqual(
        new Set(needles.filter((one) => texts.some((whole) => whole.includes(one)))),
      );
    }),
  );
});

it('does not find a needle across two texts, and tells one that differs after its first characters', () => {
  const start = 'x'.repeat(SHORTEST);
  expect(occurringIn([start + 'yz'], [start + 'y', 'z', start + 'yy'])).toEqual(new Set());
  expect(occurringIn([start + 'yz'], ['-' + start + 'yz'])).toEqual(new Set([start + 'yz']));
});
