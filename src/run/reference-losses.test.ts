import { describe, expect, it } from 'vitest';
import type { ModelCard } from '../data/model-family';
import { fitScalingLaw, lossAt } from '../data/scaling-law';
import { TINY } from '../llama/testing';
import { parameterCount } from '../pruning/cost';
import { scalingShift, usesScalingLaw } from './reference-losses';
import { experimentSchema } from '../experiment/schema';

const source = {
  name: 'medium',
  weightsSha256: 'weights of medium',
  config: { ...TINY, numHiddenLayers: 3 },
};
const size = parameterCount(source.config);
const target = { numHiddenLayers: 1, hiddenSize: 8, numAttentionHeads: 2, intermediateSize: 8 };
const experiment = experimentSchema.parse({ target, mixture: { referenceLosses: 'scaling-law' } });

const member = (name: string, parameters: number, [books, code]: [number, number]): ModelCard => ({
  name,
  parameters,
  tokens_trained: 1e7,
  context: 256,
  validation_loss: { books, code },
  weights_sha256: `weights of ${name}`,
});
const family = [
  member('small', size / 4, [4.4, 4]),
  member('medium', size, [3.9, 3.5]),
  member('large', size * 4, [3.6, 3.1]),
];
const losses = (domain: 'books' | 'code') =>
  family.map(({ parameters, validation_loss }) => ({ parameters, loss: validation_loss[domain]! }));

describe('scalingShift', () => {
  it('is what the law says of the target’s size, less what the source reaches on its card', () => {
    const { shift, parameters, extrapolated } = scalingShift(experiment, source, family, ['code', 'books']);
    // 2·61·8 embeddings, one block of 2·8·(2 + 2)·8 + 3·8·8 + 2·8, and the last norm.
    expect(parameters).toBe(976 + 720 + 8);
    expect(extrapolated).toBe(parameters < size / 4);
    expect(shift[0]).toBeCloseTo(lossAt(fitScalingLaw(losses('code')), parameters) - 3.5, 12);
    expect(shift[1]).toBeCloseTo(lossAt(fitScalingLaw(losses('books')), parameters) - 3.9, 12);
    for (const value of shift) expect(value).toBeGreaterThan(0);
  });

  it('is nothing for a target that is the source itself', () => {
    const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } = source.config;
    const whole = { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize };
    const { shift, extrapolated } = scalingShift({ ...experiment, target: whole }, source, family, ['books']);
    expect(extrapolated).toBe(false);
    // Three sizes: the law goes through the source's own loss.
    expect(shift[0]).toBeCloseTo(0, 9);
  });

  it.each([
    [
      'a model of no family',
      { ...source, name: 'local', weightsSha256: 'others' },
      family,
      ['books'],
      /local is none of them/,
    ],
    [
      'a folder that bears a member’s name',
      { ...source, name: 'large', weightsSha256: null },
      family,
      ['books'],
      /large is none of them/,
    ],
    ['two sizes', source, family.slice(1), ['books'], /books: .*at least 3 sizes/],
    ['a domain that is on no card', source, family, ['books', 'songs'], /measured on songs/],
  ])('refuses %s in one sentence', (_, from, of, domains, sentence) => {
    expect(() => scalingShift(experiment, from, of, domains)).toThrow(sentence);
    expect(() => scalingShift(experiment, from, of, domains)).toThrow('mixture.referenceLosses');
  });
});

it('only dynamic batch loading has reference losses', () => {
  expect(usesScalingLaw(experiment)).toBe(true);
  expect(usesScalingLaw(experimentSchema.parse({}))).toBe(false);
  expect(usesScalingLaw({ ...experiment, mixture: { ...experiment.mixture, mode: 'constant' } })).toBe(false);
});
