import { expect, it } from 'vitest';
import { isProse, sentences } from './sentences.mjs';

it('splits at marks before a capital, not after titles, initials and abbreviations', () => {
  expect(
    sentences('Mr. Darcy, i.e. J. Darcy, bowed. "Is it so?" It was! See Sec. 4 for more. then on'),
  ).toEqual(['Mr. Darcy, i.e. J. Darcy, bowed.', '"Is it so?"', 'It was!', 'See Sec. 4 for more. then on']);
});

it.each(['He bowed (very low) and left.', 'It is "the best" of all.'])('%s is prose', (sentence) =>
  expect(isProse(sentence)).toBe(true),
);

it.each([
  'and so it ends, as we knew.',
  'The value x_1 is used as the key.',
  'Use SELECT to read a table.',
  'He said "it was the end.',
  'B. It is the second of the answers.',
  'Too short by far.',
])('%s is not', (sentence) => expect(isProse(sentence)).toBe(false));
