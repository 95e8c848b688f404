import { finite } from '../fields/finite';
import type { Estimate } from './result';

/** The two-sided 95 % point of the normal distribution. */
const Z = 1.959963984540054;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard error of a mean: the sample's deviation (with n − 1) / √n. NaN for a single value. */
function standardErrorOfMean(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/**
 * A share of `n` independent items with Wilson's 95 % interval (Wilson 1927), which stays inside [0, 1] and
 * holds for few items and for shares near 0 and 1. The standard error is lm-evaluation-harness's.
 */
export function shareEstimate(right: readonly boolean[]): Estimate {
  const n = right.length;
  const value = mean(right.map(Number));
  const centre = (value + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((value * (1 - value)) / n + (Z * Z) / (4 * n * n));
  return {
    value,
    standardError: standardErrorOfMean(right.map(Number)),
    low: Math.max(0, centre - half),
    high: Math.min(1, centre + half),
  };
}

/**
 * exp(−mean log-likelihood), with its standard error by the delta method (value · standard error of the mean)
 * and the interval of the mean carried through the exponential.
 *
 * @throws NotFiniteError for a mean above 709 nats, whose exponential no number holds
 */
export function perplexityEstimate(logLikelihoods: readonly number[]): Estimate {
  const loss = -mean(logLikelihoods);
  const error = standardErrorOfMean(logLikelihoods);
  const value = finite(Math.exp(loss), `The perplexity of ${loss.toPrecision(3)} nats`);
  return {
    value,
    standardError: value * error,
    low: Math.exp(loss - Z * error),
    high: Math.exp(loss + Z * error),
  };
}

/**
 * Difference of two shares of the same `n` items, from those that only one of the two got right. The interval is
 * Wald's with half an item added to each of the four cells (Agresti & Min, Statistics in Medicine 24 (2005)
 * 729–740): without that, two models that agree on a few items would differ by 0 ± 0.
 */
export function pairedDifference(onlyFirst: number, onlySecond: number, n: number): Estimate {
  const spread = (first: number, second: number, items: number) =>
    first + second - (second - first) ** 2 / items;
  const centre = (onlySecond - onlyFirst) / (n + 2);
  const half = (Z * Math.sqrt(spread(onlyFirst + 0.5, onlySecond + 0.5, n + 2))) / (n + 2);
  return {
    value: (onlySecond - onlyFirst) / n,
    standardError: Math.sqrt(spread(onlyFirst, onlySecond, n) / (n - 1) / n),
    low: Math.max(-1, centre - half),
    high: Math.min(1, centre + half),
  };
}
