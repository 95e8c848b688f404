import { expect, it } from 'vitest';
import { overlapOfStreams, overlapOfTexts } from './overlap.mjs';

it('counts the positions that open a shared run, in the own domain and in any', () => {
  const heldOut = [
    { domain: 'a', tokens: Uint16Array.of(1, 2, 3, 4, 5, 6) },
    { domain: 'b', tokens: Uint16Array.of(9, 9, 9, 9) },
  ];
  const training = [
    { domain: 'a', read: () => Uint16Array.of(0, 1, 2, 3, 0) },
    { domain: 'b', read: () => Uint16Array.of(4, 5, 6, 7) },
  ];
  // Runs of three: 123 stands in a, 456 in b; 234 and 345 nowhere.
  expect(overlapOfStreams(heldOut, training, 3)).toEqual([
    { own: 0.25, any: 0.5 },
    { own: 0, any: 0 },
  ]);
});

it('finds the texts that share words with training, whatever stands between the words', () => {
  const training = ['The CAT sat, on 3 mats; and slept.', 'a dog'];
  const texts = ['cat sat on mats', 'sat on the mats', 'slept a dog ran', 'cat sat'];
  expect(overlapOfTexts(texts, training, 3)).toEqual([true, false, false, undefined]);
});
