import { describe, expect, it } from 'vitest';
import { compareResults } from './compare';
import type { Likelihood } from './log-likelihood';
import { headline } from './result';
import { resultJson } from './result-json';
import { choiceLength, resultOf } from './scoring';
import { choiceTask, lastWordTask } from './testing';

const likely = (...sums: number[]): Likelihood[] =>
  sums.map((logLikelihood) => ({ logLikelihood, greedy: false }));

describe('choices', () => {
  // By sum: right, wrong (a tie goes to the first, here right in the second item), right.
  const likelihoods = [likely(-4, -6), likely(-9, -9, -9), likely(-1, -3)];
  const result = resultOf(choiceTask, likelihoods, 1);

  it('are answered by the sum, and by the sum a character', () => {
    // " mat" −4/3 against " green and blue" −6/14; 14, 13 and 14 characters at equal sums; "five" and "four".
    expect(result.outcomes.map(({ acc, accNorm }) => [acc, accNorm])).toEqual([
      [true, false],
      [true, true],
      [false, false],
    ]);
    expect(result.acc.value).toBeCloseTo(2 / 3, 12);
    expect(result.accNorm!.value).toBeCloseTo(1 / 3, 12);
    expect(headline(result)).toBe(result.acc);
    expect(headline({ ...result, task: { ...result.task, metric: 'acc_norm' } })).toBe(result.accNorm);
  });

  it('have results by group, items without one in none', () => {
    expect(result.groups.map(({ group, items, acc }) => [group, items, acc.value])).toEqual([
      ['animals', 1, 1],
      ['sums', 1, 0],
    ]);
  });

  it('are as long as their characters without the joining space', () => {
    expect(choiceLength(' mat')).toBe(3);
    expect(choiceLength('  mat')).toBe(4);
    expect(choiceLength(' naïve 🙂')).toBe(7);
    expect(choiceLength(' ')).toBe(1);
  });

  it('go out in the names of lm-evaluation-harness', () => {
    expect(resultJson(result)).toMatchObject({
      name: 'choices',
      n: 3,
      chance: 0.25,
      truncated: 1,
      groups: { animals: { n: 1, acc: 1, acc_stderr: null } },
    });
    const json = resultJson(result) as Record<string, unknown>;
    expect(json['acc_norm_stderr']).toBeCloseTo(1 / 3, 12);
    expect(Object.keys(json)).not.toContain('word_perplexity');
  });
});

it('a last word counts when greedy decoding writes all of it', () => {
  const result = resultOf(
    lastWordTask,
    [[{ logLikelihood: -2, greedy: true }], [{ logLikelihood: -4, greedy: false }]],
    0,
  );
  expect(result.outcomes.map(({ acc }) => acc)).toEqual([true, false]);
  expect(result.accNorm).toBeNull();
  expect(result.perplexity!.value).toBeCloseTo(Math.exp(3), 10);
  expect(result.groups).toEqual([]);
});

describe('two models', () => {
  const first = resultOf(choiceTask, [likely(-1, -2), likely(-1, -2, -2), likely(-1, -2)], 0);
  const second = resultOf(choiceTask, [likely(-1, -2), likely(-3, -2, -2), likely(-2, -1)], 0);

  it('are compared item by item', () => {
    const { difference, onlyFirst, onlySecond } = compareResults(first, second);
    expect([onlyFirst, onlySecond]).toEqual([1, 1]);
    expect(difference.value).toBe(0);
    expect(difference.standardError).toBeCloseTo(Math.sqrt(2 / 2 / 3), 12);
  });

  it('on other items are not', () => {
    const other = { ...second, outcomes: second.outcomes.slice(1) };
    expect(() => compareResults(first, other)).toThrow(/same items/);
  });
});
