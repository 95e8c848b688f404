import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitScalingLaw, lossAt, type SizePoint } from './scaling-law';

/** Sheared LLaMA, appendix B: what LLaMA 2 7B, 13B and 70B reach, and what the authors took from it for their three targets. */
const SIZES = [6738415616, 13015864320, 68976648192];
const TARGETS = [373867520, 1345423360, 2701560320];
const PUBLISHED = {
  cc: { losses: [1.752, 1.668, 1.4621], law: [8.634, 0.0283, -2.798], at: [2.1401, 1.9643, 1.8712] },
  github: { losses: [0.6216, 0.5791, 0.489], law: [14.64, 0.15507, 0.1837], at: [0.8694, 0.7459, 0.6883] },
  book: { losses: [1.9063, 1.8242, 1.645], law: [18.8, 0.1294, 0.90091], at: [2.3625, 2.1393, 2.0325] },
  stackexchange: {
    losses: [1.4482, 1.3936, 1.2805],
    law: [26.59, 0.17557, 0.948],
    at: [1.7791, 1.6117, 1.5353],
  },
  wiki: { losses: [1.4844, 1.3945, 1.2118], law: [58.91, 0.19251, 0.72917], at: [2.047, 1.759, 1.6297] },
  arxiv: { losses: [1.2637, 1.2109, 1.1148], law: [220.9, 0.29134, 0.96117], at: [1.6637, 1.4449, 1.356] },
  c4: { losses: [1.9219, 1.8486, 1.6848], law: [12.43, 0.10876, 0.86108], at: [2.3139, 2.1251, 2.0328] },
};

const family = (losses: readonly number[], sizes = SIZES): SizePoint[] =>
  losses.map((loss, i) => ({ parameters: sizes[i]!, loss }));

describe('the published fits', () => {
  it.each(Object.entries(PUBLISHED))('of %s: a, b, c and the three reference losses', (_, domain) => {
    const law = fitScalingLaw(family(domain.losses));
    // The list has four significant digits of a and five decimals of b, c (three of the largest floor).
    expect(law.a / domain.law[0]!).toBeCloseTo(1, 3);
    expect(law.b).toBeCloseTo(domain.law[1]!, 5);
    expect(law.c).toBeCloseTo(domain.law[2]!, 3);
    TARGETS.forEach((target, i) => expect(lossAt(law, target)).toBeCloseTo(domain.at[i]!, 4));
  });

  it('put the floor of cc below zero', () => {
    expect(fitScalingLaw(family(PUBLISHED.cc.losses)).c).toBeLessThan(-2.7);
  });
});

describe('fitScalingLaw', () => {
  const anyLaw = fc.record({
    a: fc.double({ min: 0.5, max: 50, noNaN: true }),
    b: fc.double({ min: 0.05, max: 1.5, noNaN: true }),
    c: fc.double({ min: -2, max: 3, noNaN: true }),
  });
  const exact = (law: { a: number; b: number; c: number }, sizes: readonly number[]) =>
    // `a` is the height at a million parameters here: at any exponent the losses differ enough to be seen.
    sizes.map((parameters) => ({ parameters, loss: law.a * (parameters / 1e6) ** -law.b + law.c }));

  it.each([
    ['three', [4e5, 1.2e6, 4e6]],
    ['five', [3e5, 4e5, 1.2e6, 4e6, 1.3e7]],
  ])('finds the law that %s sizes lie on, in any order', (_, sizes) => {
    fc.assert(
      fc.property(anyLaw, (law) => {
        const found = fitScalingLaw(exact(law, sizes).reverse());
        for (const { parameters, loss } of exact(law, [1e5, ...sizes, 1e8])) {
          // b is found to about 1e-8; a factor of 30 in N makes 1e-7 of the loss out of it.
          expect(Math.abs(lossAt(found, parameters) - loss) / (law.a + Math.abs(loss))).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has no smaller squared error near it, when more than three sizes do not lie on one law', () => {
    const points = family([4.1, 3.72, 3.36, 3.21, 2.98], [3e5, 6e5, 1.2e6, 4e6, 1.3e7]);
    const error = (law: { a: number; b: number; c: number }) =>
      points.reduce((sum, { parameters, loss }) => sum + (lossAt(law, parameters) - loss) ** 2, 0);
    const law = fitScalingLaw(points);
    expect(error(law)).toBeGreaterThan(1e-4);
    for (const key of ['a', 'b', 'c'] as const) {
      for (const factor of [0.999, 1.001]) {
        expect(error({ ...law, [key]: law[key] * factor })).toBeGreaterThan(error(law));
      }
    }
  });

  it.each([
    ['two sizes', [4, 3.5], /at least 3 sizes, but there are 2/],
    ['one size twice', [4, 3.9, 3.5], /at least 3 sizes, but there are 2/, [1e6, 1e6, 2e6]],
    ['losses that rise', [3, 3.2, 3.3], /larger models of the family are not better/],
    ['losses that do not differ', [3, 3, 3], /larger models of the family are not better/],
    ['a largest model that is no better', [4, 3.5, 3.6], /do not fall beyond the smallest/],
    ['losses that fall ever faster', [4, 3.9, 2.5], /as fast as log N or faster/, [1e6, 2e6, 4e6]],
    ['a loss that is no number', [4, NaN, 3], /finite losses/],
    ['a model without parameters', [4, 3.5, 3.2], /above 0/, [0, 1e6, 2e6]],
  ])('says in one sentence why there is none: %s', (_, losses, sentence, sizes = SIZES) => {
    expect(() => fitScalingLaw(family(losses, sizes))).toThrow(sentence);
  });
});
