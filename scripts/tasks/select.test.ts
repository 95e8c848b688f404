import { expect, it } from 'vitest';
import { itemId } from './items.mjs';
import { select, trainingNeedle } from './select.mjs';

const candidates = Array.from({ length: 40 }, (_, i) => ({
  context: `Context ${i}, ${i === 7 ? 'word '.repeat(200) : ''}`,
  answer: ` right ${i}`,
  distractors: [' wrong', i === 9 ? ' word'.repeat(200) : ' bad'],
  group: i < 30 ? 'common' : 'rare',
}));
const corpus = {
  countTokens: (text: string) => text.split(' ').length,
  isInTraining: ({ answer }: { answer: string }) => answer === ' right 3',
};
const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, n) => sum + n, 0);

it('counts every candidate that it does not take', () => {
  const twice = [...candidates, candidates[5]!];
  const { chosen, dropped } = select({ atMost: 100 }, twice, corpus);
  expect(dropped).toEqual({ repeated: 1, in_training: 1, over_limit: 0, too_long: 2 });
  expect(chosen).toHaveLength(37);
  expect(chosen.map(itemId).sort()).toEqual([...new Set(chosen.map(itemId))].sort());
});

it('stops at the limit, of the task or of each group', () => {
  const all = select({ atMost: 12 }, candidates, corpus);
  expect(all.chosen).toHaveLength(12);
  expect(total(all.dropped) + 12).toBe(40);
  const grouped = select({ atMost: 12, perGroup: true }, candidates, corpus).chosen;
  expect(grouped.filter(({ group }) => group === 'common')).toHaveLength(12);
  expect(grouped.filter(({ group }) => group === 'rare')).toHaveLength(10);
});

it('takes the same, in the same order, whatever the order of the candidates', () => {
  const backwards = select({ atMost: 12 }, [...candidates].reverse(), corpus);
  expect(backwards).toEqual(select({ atMost: 12 }, candidates, corpus));
});

it('looks for the answer with the last fifty characters before it', () => {
  const needle = trainingNeedle({
    context: `${'a'.repeat(20)}${'b'.repeat(50)}`,
    answer: ' c',
    distractors: [],
  });
  expect(needle).toBe(`${'b'.repeat(50)} c`);
});
