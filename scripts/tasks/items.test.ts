import { expect, it } from 'vitest';
import { choiceItem, draw, itemId, lastWordItem, shuffled } from './items.mjs';

const candidate = { context: 'It was', answer: ' so', distractors: [' no', ' yes', ' it'], group: 'a' };

it('puts the answer in every place equally often and keeps the others in order', () => {
  const items = Array.from({ length: 8 }, (_, i) => choiceItem(candidate, i));
  expect(items.map(({ answer }) => answer)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  for (const { choices, answer } of items) {
    expect(choices[answer]).toBe(' so');
    expect(choices.toSpliced(answer, 1)).toEqual([' no', ' yes', ' it']);
  }
});

it('gives an id by text, whatever the order', () => {
  expect(choiceItem(candidate, 0).id).toBe(choiceItem(candidate, 3).id);
  expect(itemId({ ...candidate, answer: ' s' })).not.toBe(itemId(candidate));
  expect(lastWordItem({ ...candidate, distractors: [] })).toMatchObject({
    context: 'It was',
    word: ' so',
    group: 'a',
  });
});

it('shuffles by content alone', () => {
  const many = Array.from({ length: 30 }, (_, i) => ({ ...candidate, context: `It was ${i}` }));
  expect(shuffled([...many].reverse(), 'test')).toEqual(shuffled(many, 'test'));
  expect(shuffled(many, 'test')).not.toEqual(many);
  expect(shuffled(many, 'test')).not.toEqual(shuffled(many, 'other'));
});

it('draws different members that fit, the same for the same seed', () => {
  const numbers = Array.from({ length: 60 }, (_, i) => i);
  const even = (n: number) => n % 2 === 0;
  const drawn = draw(numbers, 30, 'seed', even);
  expect([...drawn!].sort((a, b) => a - b)).toEqual(numbers.filter(even));
  expect(draw(numbers, 30, 'seed', even)).toEqual(drawn);
  expect(draw(numbers, 30, 'other seed', even)).not.toEqual(drawn);
  expect(draw(numbers, 31, 'seed', even)).toBeNull();
  expect(draw([], 1, 'seed', () => true)).toBeNull();
});
