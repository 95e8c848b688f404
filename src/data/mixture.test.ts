import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { normalised, startMixture, updateMixture, type MixtureUpdate } from './mixture';

// Sheared LLaMA: RedPajama's weights, the 2.7B reference losses. The formula is docs/method.md, section 5.
const published: MixtureUpdate = {
  mode: 'dynamic',
  weights: [0.67, 0.045, 0.045, 0.02, 0.045, 0.025, 0.15],
  reference: [1.8712, 0.6883, 2.0325, 1.5353, 1.6297, 1.356, 2.0328],
  loss: [2.1, 0.8, 2.25, 1.8, 2.0, 1.5, 2.3],
  clamp: false,
  smoothing: 1e-4,
};

describe('updateMixture', () => {
  const below = [1.8, ...published.loss.slice(1)];
  it.each([
    [
      'every loss above its reference',
      {},
      [0.665997, 0.039802, 0.044242, 0.020621, 0.051543, 0.022844, 0.154952],
    ],
    [
      'a loss below, no clamp',
      { loss: below },
      [0.596326, 0.048103, 0.05347, 0.024921, 0.062295, 0.027607, 0.187279],
    ],
    [
      'a loss below, clamp',
      { loss: below, clamp: true },
      [0.613339, 0.046076, 0.051216, 0.023871, 0.059669, 0.026444, 0.179385],
    ],
  ])('follows the formula at the published numbers: %s', (_, change, expected) => {
    updateMixture({ ...published, ...change }).forEach((weight, i) =>
      expect(weight).toBeCloseTo(expected[i]!, 6),
    );
  });

  it('never lets a domain fall under the floor c/n, and can bring it back from 0', () => {
    const weights = [1, 0, 0];
    const update = { ...published, weights, reference: [1, 1, 1], loss: [0, 900, 1], smoothing: 3e-4 };
    expect(updateMixture(update)[1]).toBeCloseTo(1e-4, 9);
    let mixture = updateMixture(update);
    for (let i = 0; i < 3; i++) mixture = updateMixture({ ...update, weights: mixture, loss: [1, 10, 1] });
    expect(mixture[1]).toBeGreaterThan(0.9);
  });

  it('sums to 1, stays finite and keeps the floor for any losses', () => {
    const list = (min: number, max: number) =>
      fc.array(fc.double({ min, max, noNaN: true }), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(
        list(1e-9, 1000),
        list(0, 1e4),
        list(0, 1e4),
        fc.boolean(),
        (weights, loss, reference, clamp) => {
          const mixture = updateMixture({ ...published, weights, loss, reference, clamp, smoothing: 1e-4 });
          expect(mixture.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
          for (const weight of mixture) expect(weight).toBeGreaterThanOrEqual(1e-4 / 7 - 1e-15);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is the same where exp and log give another last digit', () => {
    const update = (weights: readonly number[]) => updateMixture({ ...published, weights });
    const plain = update(published.weights);
    const { exp, log } = Math;
    // The next float64, up or down by turns.
    let calls = 0;
    const nudged = (f: (x: number) => number) => (x: number) =>
      f(x) * (1 + (++calls % 2 ? 1 : -1) * 2 ** -52);
    vi.spyOn(Math, 'exp').mockImplementation(nudged(exp));
    vi.spyOn(Math, 'log').mockImplementation(nudged(log));
    const other = update(published.weights);
    const later = update(other);
    vi.restoreAllMocks();
    expect(calls).toBeGreaterThan(20);
    expect(other).toEqual(plain);
    expect(later).toEqual(update(plain));
  });

  it('keeps constant and manual weights', () => {
    for (const mode of ['constant', 'manual'] as const) {
      expect(updateMixture({ ...published, mode })).toEqual(normalised(published.weights));
    }
  });

  it('refuses a loss that is not finite', () => {
    expect(() => updateMixture({ ...published, loss: [NaN, 1, 1, 1, 1, 1, 1] })).toThrow('loss of domain 1');
    expect(() => updateMixture({ ...published, loss: [1] })).toThrow('7 domains');
  });
});

describe('startMixture', () => {
  it('takes what was asked for, else the corpus’ own proportions', () => {
    expect(startMixture('dynamic', [], [3, 1])).toEqual([0.75, 0.25]);
    expect(startMixture('manual', [1, 4], [3, 1])).toEqual([0.2, 0.8]);
    expect(startMixture('constant', [1, 4], [3, 1])).toEqual([0.75, 0.25]);
    expect(() => startMixture('manual', [1], [3, 1])).toThrow('must have 2 numbers');
    expect(() => startMixture('manual', [0, 0], [3, 1])).toThrow('not all zero');
    expect(startMixture('manual', [1e308, 1e308], [3, 1])).toEqual([0.5, 0.5]);
  });
});
