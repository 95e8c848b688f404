import { expect, it } from 'vitest';
import { minimalPairs, PHENOMENA } from './minimal-pairs.mjs';

const bad = (phenomenon: string, sentence: string) => {
  const { rules } = PHENOMENA.find(({ name }) => name === phenomenon)!;
  return rules.flatMap((rule) => rule(sentence) ?? []);
};

/** One line a rule at least: phenomenon, sentence, what one edit makes of it. */
it.each([
  ['reflexive', 'She soon found herself alone.', 'She soon found themselves alone.'],
  ['reflexive', 'In fact the system itself is safe.', 'In fact the system themselves is safe.'],
  ['reflexive', 'The words themselves are old.', 'The words itself are old.'],
  ['there is, there are', 'There was a light in it.', 'There were a light in it.'],
  ['there is, there are', 'Here there are two ways out.', 'Here there is two ways out.'],
  ['determiner and noun', 'He read several old books.', null],
  ['determiner and noun', 'He read these books.', 'He read these book.'],
  ['determiner and noun', 'Each value is read once.', 'Several value is read once.'],
  ['determiner and noun', 'It took many years.', 'It took much years.'],
  ['pronoun and auxiliary', 'He knew that it was late.', 'He knew that it were late.'],
  ['pronoun and auxiliary', 'They have come.', 'They has come.'],
  ['pronoun and auxiliary', 'It is late, and I am tired.', 'It are late, and I am tired.'],
  ['pronoun and verb', 'It makes a copy.', 'It make a copy.'],
  ['pronoun and verb', 'We know that.', 'We knows that.'],
  ['noun and verb', 'The value of the columns is zero.', 'The value of the columns are zero.'],
  ['noun and verb', 'The value of the column is zero.', 'The value of the column are zero.'],
  ['noun and verb', 'These functions are safe.', 'These functions is safe.'],
  ['irregular participle', 'It has never been taken away.', 'It has never been took away.'],
  ['after a modal', 'This can also make it fail.', 'This can also makes it fail.'],
  ['after did not', 'He did not know it.', 'He did not knew it.'],
  ['infinitive', 'They are able to take it.', 'They are able to took it.'],
  ['gerund', 'It ends by removing the file.', 'It ends by remove the file.'],
  ['perfect', 'He had already made it.', 'He had already make it.'],
  ['perfect', 'It has become late.', null],
  ['neither, either, or, nor', 'Neither he nor she came.', 'Either he nor she came.'],
  ['neither, either, or, nor', 'Take either this or that.', 'Take either this nor that.'],
  ['comparison', 'It is more useful than that.', 'It is more useful as that.'],
  ['comparison', 'It is as long as that.', 'It is as long than that.'],
  ['pronoun case', 'He gave it to them.', 'He gave it to they.'],
  ['pronoun case', 'We must go.', 'Us must go.'],
  ['a and an', 'It is an old one.', 'It is a old one.'],
  ['a and an', 'A file was read.', 'An file was read.'],
  ['word order', 'He could not see it.', 'He not could see it.'],
  ['word order', 'It stood in the house.', 'It stood the in house.'],
])('%s: %s → %s', (phenomenon, sentence, edited) => {
  expect(bad(phenomenon, sentence)[0] ?? null).toBe(edited);
});

/** Where the edit would give another good sentence, or one that some would say. */
it.each([
  ['pronoun and auxiliary', 'He asked whether it was late.'],
  ['pronoun and auxiliary', 'What made it is unknown.'],
  ['pronoun and verb', 'They demand that it makes no noise.'],
  ['there is, there are', 'There is a number of reasons.'],
  ['determiner and noun', 'Each system call is counted.'],
  ['a and an', 'It was a one, an hour or a URL.'],
  ['a and an', 'This is a European use of it.'],
  ['gerund', 'It is good for making.'],
  ['pronoun case', 'He gave them to his son.'],
  ['reflexive', 'He told us ourselves.'],
  ['neither, either, or, nor', 'He did not take either this or that.'],
])('%s: %s stays', (phenomenon, sentence) => {
  expect(bad(phenomenon, sentence)).toEqual([]);
});

it('every phenomenon has a name of its own', () => {
  expect(new Set(PHENOMENA.map(({ name }) => name)).size).toBe(PHENOMENA.length);
});

it('uses a sentence once, for its rarest phenomenon', () => {
  const documents = [
    'It stood in the house of the king.\nThe man gave the horse to them.\nThe man stood in the old house then.',
  ];
  const pairs = minimalPairs(documents);
  expect(pairs.map(({ group }) => group).sort()).toEqual(['pronoun case', 'word order', 'word order']);
  expect(new Set(pairs.map(({ answer }) => answer)).size).toBe(3);
  for (const { answer, distractors } of pairs) expect(distractors).not.toContain(answer);
});
