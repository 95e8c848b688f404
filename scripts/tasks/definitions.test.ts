import { expect, it } from 'vitest';
import { definitionToWord, wordToDefinition } from './definitions.mjs';
import { dictionaryEntries, partOfSpeech } from './dictionary.mjs';

const nouns = [
  'hammer, mallet: a hand tool with a heavy head; used to strike things; "he took the hammer"\n\nanvil: (metalwork) a heavy block on which metal is shaped',
  'orchard, grove: a garden of small trees that are grown for their fruit\n\nmeadow: a field of grass that is kept for making hay or grazing',
  'canoe: a small and light boat that is pointed at both ends\n\nkayak: a small boat with a deck made of skins',
];
const verbs = [
  'gallop: move fast on the back of a horse\n\nfasten: make firm or cause to be firmly attached',
];
const prose = 'Area: a total of 10 square miles\n\nThe country lies in the north.\n\nIt has two rivers.';
const forms = [1, 2, 3, 4, 5].map(
  (n) => `Area: a total of ${n} square miles\n\nBorders: a total of ${n} miles`,
);

it('reads entries without subject and examples, from no page of prose or of a form', () => {
  const entries = dictionaryEntries([...nouns, ...verbs, prose, ...forms]);
  expect(entries).toHaveLength(8);
  expect(entries[0]).toEqual({
    words: 'hammer, mallet',
    gloss: 'a hand tool with a heavy head; used to strike things',
    pos: 'noun',
    document: 0,
  });
  expect(entries[1]!.gloss).toBe('a heavy block on which metal is shaped');
  expect(entries.at(-1)).toMatchObject({ pos: 'verb', document: 3 });
});

it.each([
  ['noun', ['a garden', 'herbs of the north', 'the top']],
  ['verb', ['make firm', 'cause to be', 'a way']],
  ['adjective', ['of or relating to', 'lacking any', 'an odd one']],
  ['adverb', ['in a bad way', 'with ease', 'the way']],
])('knows a document of %ss', (pos, glosses) => {
  expect(partOfSpeech(glosses.map((gloss) => ({ gloss })))).toBe(pos);
});

it('offers definitions of other documents and the same part of speech', () => {
  const items = wordToDefinition([...nouns, ...verbs]);
  const hammer = items.find(({ context }) => context === 'hammer, mallet:')!;
  expect(hammer.answer).toBe(' a hand tool with a heavy head; used to strike things');
  expect(hammer.distractors).toHaveLength(3);
  expect(items.map(({ context }) => context)).not.toContain('gallop:');
  const own = nouns[0]!;
  for (const one of hammer.distractors) expect(own).not.toContain(one.trim());
});

it('offers words of other documents that are not in the definition', () => {
  const items = definitionToWord(nouns);
  const meadow = items.find(({ answer }) => answer === ' meadow')!;
  expect(meadow.context).toBe('a field of grass that is kept for making hay or grazing:');
  for (const { context, answer, distractors } of items) {
    const four = [answer, ...distractors].map((word) => word.trim());
    expect(new Set(four).size).toBe(4);
    for (const word of four) expect(context).not.toContain(word);
  }
});
