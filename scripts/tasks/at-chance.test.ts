import { expect, it } from 'vitest';
import { partAtChance } from './at-chance.mjs';

const items = Array.from({ length: 30 }, (_, i) => ({
  id: `${i}`,
  context: '',
  choices: ['a', 'b'],
  answer: 0,
  group: ['good', 'poor', 'worse'][i % 3]!,
}));
const entry = {
  name: 'pairs',
  title: 'Pairs',
  description: '',
  form: 'choice' as const,
  domain: null,
  metric: 'acc' as const,
  chance: 0.5,
  items: 30,
  built: 30,
  file: 'pairs.json',
  sha256: 'abc',
  dropped: {},
  filtered_with: null,
};
const scores = (n: number, low: number, high: number) => ({
  n,
  acc: (low + high) / 2,
  acc_interval: [low, high] as [number, number],
});
const result = {
  name: 'pairs',
  file_sha256: 'abc',
  ...scores(30, 0.4, 0.6),
  groups: { good: scores(10, 0.51, 0.9), poor: scores(10, 0.5, 0.9), worse: scores(10, 0.1, 0.4) },
};

it('keeps the groups above chance, with the items that the model missed', () => {
  const { kept, atChance } = partAtChance(entry, items, result);
  expect(kept).toEqual(items.filter(({ group }) => group === 'good'));
  expect(atChance.map(({ group }) => group)).toEqual(['poor', 'worse']);
  expect(atChance[0]).toEqual({ group: 'poor', n: 10, accuracy: 0.7, interval: [0.5, 0.9] });
});

it('judges a task without groups as a whole', () => {
  const plain = items.map((item) => ({ ...item, group: undefined }));
  expect(partAtChance(entry, plain, { ...result, groups: {} }).kept).toEqual([]);
  const above = { ...result, ...scores(30, 0.55, 0.7), groups: {} };
  expect(partAtChance(entry, plain, above)).toMatchObject({ kept: plain, atChance: [] });
});

it('goes by the metric of the task', () => {
  const norm = { acc_norm: 0.8, acc_norm_interval: [0.6, 0.9] as [number, number] };
  const byLength = { ...entry, metric: 'acc_norm' as const };
  expect(partAtChance(byLength, items, { ...result, ...norm, groups: {} }).kept).toEqual(items);
  expect(() => partAtChance(byLength, items, { ...result, groups: {} })).toThrow(
    'pairs: the results have no acc_norm',
  );
});

it.each([
  ['another file', { file_sha256: 'def' }],
  ['a part of the file', { n: 20 }],
])('refuses results of %s', (_, change) => {
  expect(() => partAtChance(entry, items, { ...result, ...change })).toThrow(/evaluate the model again/);
});
