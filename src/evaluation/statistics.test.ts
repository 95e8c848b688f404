import { describe, expect, it } from 'vitest';
import { pairedDifference, perplexityEstimate, shareEstimate } from './statistics';

const answers = (right: number, n: number) => Array.from({ length: n }, (_, i) => i < right);

describe('a share', () => {
  // Newcombe, Statistics in Medicine 17 (1998) 857–872, table I, method 3 (score without continuity correction).
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%i of %i has the published Wilson interval', (right, n, low, high) => {
    const estimate = shareEstimate(answers(right, n));
    expect(estimate.value).toBeCloseTo(right / n, 12);
    expect(estimate.low).toBeCloseTo(low, 4);
    expect(estimate.high).toBeCloseTo(high, 4);
  });

  it('has the standard error of a sample mean', () => {
    // √(p (1 − p) / (n − 1)), as numpy's std(ddof=1) / √n.
    expect(shareEstimate(answers(30, 100)).standardError).toBeCloseTo(Math.sqrt((0.3 * 0.7) / 99), 12);
    expect(shareEstimate([true]).standardError).toBeNaN();
  });

  it('that is whole stays within [0, 1]', () => {
    expect(shareEstimate(answers(12, 12)).high).toBeCloseTo(1, 12);
    expect(shareEstimate(answers(0, 12)).low).toBeCloseTo(0, 12);
  });
});

describe('a perplexity', () => {
  it('is the exponential of the mean loss, and so is its interval', () => {
    const estimate = perplexityEstimate([-1, -2, -3, -6]);
    expect(estimate.value).toBeCloseTo(Math.exp(3), 10);
    const error = Math.sqrt(14 / 3 / 4);
    expect(estimate.standardError).toBeCloseTo(Math.exp(3) * error, 10);
    expect(Math.log(estimate.high) - 3).toBeCloseTo(1.959964 * error, 5);
    expect(3 - Math.log(estimate.low)).toBeCloseTo(1.959964 * error, 5);
  });

  it('has an interval that covers the truth about as often as it says', () => {
    // Losses of an exponential distribution with mean 1 by a fixed sequence: 400 samples of 60.
    let state = 7;
    const uniform = () => (state = (Math.imul(state, 48271) >>> 0) % 2147483647) / 2147483647;
    let covered = 0;
    for (let sample = 0; sample < 400; sample++) {
      const { low, high } = perplexityEstimate(Array.from({ length: 60 }, () => Math.log(1 - uniform())));
      if (low <= Math.E && Math.E <= high) covered++;
    }
    // A skewed law at n = 60 covers a little less than 95 %; ± 3 binomial standard errors of 1.1 %.
    expect(covered / 400).toBeGreaterThan(0.9);
    expect(covered / 400).toBeLessThan(0.99);
  });
});

describe('a paired difference', () => {
  it('has the standard error of the mean of −1, 0 and 1', () => {
    const { value, standardError } = pairedDifference(1, 3, 6);
    expect(value).toBeCloseTo(1 / 3, 12);
    // Of −1, 0, 0, 1, 1, 1 with n − 1.
    expect(standardError).toBeCloseTo(Math.sqrt((4 - 6 / 9) / 5 / 6), 12);
  });

  it('has an interval that turns with the two, and does not vanish where they agree', () => {
    const one = pairedDifference(2, 9, 40);
    const other = pairedDifference(9, 2, 40);
    expect([one.low, one.high]).toEqual([-other.high, -other.low]);
    const agreed = pairedDifference(0, 0, 10);
    expect(agreed).toMatchObject({ value: 0, standardError: 0, low: -agreed.high });
    expect(agreed.high).toBeGreaterThan(0.1);
  });

  it.each([
    [0.02, 0.02],
    [0.1, 0.2],
    [0.3, 0.05],
    [0.4, 0.4],
  ])('covers shares of %f against %f in 94 %% or more of all samples of 40', (p, q) => {
    const n = 40;
    const logFactorial = Array.from({ length: n + 1 }, (_, i) => i).map((i) =>
      Array.from({ length: i }, (_, k) => Math.log(k + 1)).reduce((a, b) => a + b, 0),
    );
    let covered = 0;
    for (let first = 0; first <= n; first++) {
      for (let second = 0; first + second <= n; second++) {
        const rest = n - first - second;
        const { low, high } = pairedDifference(first, second, n);
        if (low > q - p || high < q - p) continue;
        const ways = logFactorial[n]! - logFactorial[first]! - logFactorial[second]! - logFactorial[rest]!;
        covered += Math.exp(ways + first * Math.log(p) + second * Math.log(q) + rest * Math.log(1 - p - q));
      }
    }
    // Exact, by enumeration; counts are whole, so it cannot be 0.95 throughout.
    expect(covered).toBeGreaterThan(0.94);
  });
});
