import { expect, it } from 'vitest';
import { HeldOutRuns, ParagraphFilter, RUN } from './dedup.mjs';

const LONG =
  'The value of this parameter has to be given in bytes, and it is read once when the server starts, so that a ' +
  'change takes effect only after the next restart of the whole cluster and of every standby that follows it.';

it('drops a repeat that differs in case, digits and punctuation only', () => {
  const filter = new ParagraphFilter();
  expect(filter.filter(`${LONG}\n\nshort`)).toBe(`${LONG}\n\nshort`);
  expect(filter.filter(`Version 15: ${LONG}\n\n${LONG.toUpperCase()}!\n\nshort`)).not.toContain(
    LONG.toUpperCase(),
  );
});

it('drops a near repeat and keeps another paragraph', () => {
  const filter = new ParagraphFilter();
  filter.filter(LONG);
  const changedEnd = LONG.replace('follows it.', 'follows.');
  const other = LONG.split(' ').reverse().join(' ');
  expect(filter.filter(`${changedEnd}\n\n${other}`)).toBe(other);
});

it('keeps short paragraphs however often they come', () => {
  const filter = new ParagraphFilter();
  expect(filter.filter('Description\n\nDescription')).toBe('Description\n\nDescription');
});

/** Random words, then the same with some of them replaced by words of their own. */
function* pairs(count: number, replaced: number) {
  let state = 1;
  const word = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Array.from({ length: 5 }, (_, i) => String.fromCharCode(97 + ((state >>> (5 * i + 3)) % 26))).join(
      '',
    );
  };
  for (let i = 0; i < count; i++) {
    const words = Array.from({ length: 60 }, word);
    // Neighbours, so that a replacement of n words changes n + 3 of the 57 shingles.
    yield [
      words.join(' '),
      [...words.slice(replaced), ...Array.from({ length: replaced }, word)].join(' '),
    ] as const;
  }
}

const found = (replaced: number) =>
  [...pairs(200, replaced)].filter(([first, second]) => {
    const filter = new ParagraphFilter();
    filter.filter(first);
    return filter.filter(second) === '';
  }).length;

it('finds repeats of a similarity of .73 and more, and none below .7', () => {
  // 5 of 60 words fall off one end and 5 come to the other: 52 shingles of 62 are common, .84.
  expect(found(5)).toBe(200);
  // 9 words: 48 of 66, .727. A pair is missed with probability (1 − .727⁴)¹⁶ = .005: 1 of 200, rarely 6.
  expect(found(9)).toBeGreaterThanOrEqual(194);
  // 11 words: 46 of 68, .676. Whoever meets in a band is compared exactly.
  expect(found(11)).toBe(0);
});

it('takes a shared run of words out of training: a paragraph, or a sentence of a long one', () => {
  const words = LONG.split(' ');
  const runs = new HeldOutRuns();
  runs.add(LONG);
  const shared = words.slice(3, 3 + RUN).join(' ');
  const almost = words.slice(3, 2 + RUN).join(' ');
  expect(runs.without(`one\n\nhere: ${shared}\n\n${almost}`)).toBe(`one\n\n${almost}`);
  const filling = 'Nothing of this sentence stands anywhere else. '.repeat(30);
  expect(runs.without(`${filling}And ${shared}. ${filling.trim()}`)).toBe(`${filling}${filling.trim()}`);
});
