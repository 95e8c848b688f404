import { expect, it } from 'vitest';
import { commonestWordShare, lastWords, splitLastWord } from './last-word.mjs';

it('asks for a last word that stands further up', () => {
  const passage = 'The captain looked at the whale. Nobody on deck had ever seen so large a whale.';
  expect(splitLastWord(passage)).toEqual({ context: passage.slice(0, -7), answer: ' whale' });
});

it.each([
  ['a new word', 'The captain looked at the whale. Nobody on deck had ever seen so large a fish.'],
  ['a repeat just before', 'The captain looked at the sea for a long time, again and once again.'],
  ['a common word', 'The captain would have gone there, but nobody on deck wanted to go there.'],
  ['a short passage', 'The whale saw a large whale.'],
  ['a name', 'Elinor looked up as he came. She had not known that it was about Elinor.'],
])('does not ask for %s', (_, passage) => {
  expect(splitLastWord(passage)).toBeNull();
});

it('takes whole sentences of one paragraph, as many as fit', () => {
  const old = `The old captain ${'spoke and '.repeat(26)}sat down.`;
  const sentences = [
    'The captain looked at the whale for a while.',
    'He had never before seen so large a whale.',
  ];
  const [item] = lastWords([`${old} ${sentences.join(' ')}\n\nIt swam.`], 'books');
  expect(item).toEqual({
    context: `${sentences.join(' ').slice(0, -7)}`,
    answer: ' whale',
    distractors: [],
    group: 'books',
  });
});

it('knows what always answering the commonest word gives', () => {
  expect(commonestWordShare([{ word: ' a' }, { word: ' b' }, { word: ' b' }, { word: ' c' }])).toBe(0.5);
});
