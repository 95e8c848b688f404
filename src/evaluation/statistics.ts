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
 */
export function perplexityEstimate(logLikelihoods: readonly number[]): Estimate {
  const loss = -mean(logLikelihoods);
  const error = standardErrorOfMean(logLikelihoods);
  const value = Math.exp(loss);
  return {
    value,
    standardError: value * error,
    low: Math.exp(loss - Z * error),
    high: Math.exp(loss + Z * error),
  };
}

/** Mean of differences over items that two models share, with its normal 95 % interval. */
export function meanDifference(differences: readonly number[]): Estimate {
  const value = mean(differences);
  const standardError = standardErrorOfMean(differences);
  return { value, standardError, low: value - Z * standardError, high: value + Z * standardError };
}
