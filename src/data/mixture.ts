/** How the sampling weights of the domains come about: see `Experiment['mixture']`. */
export type MixtureMode = 'dynamic' | 'constant' | 'manual';

export interface MixtureUpdate {
  mode: MixtureMode;
  /** Current sampling weights. */
  weights: readonly number[];
  /** Losses of the model in training on held-out windows, nats a token, by domain. */
  loss: readonly number[];
  /** What the losses should reach: the source model's own on the same windows. */
  reference: readonly number[];
  /** max(loss − reference, 0): the paper has it, the authors' code has not. */
  clamp: boolean;
  /** Share c of a uniform mixture that is blended in: the code's 1e-4 lets a domain come back, the paper has 0. */
  smoothing: number;
}

/** Weights that sum to 1. @throws Error if a weight is negative or not finite, or if all are 0. */
export function normalised(weights: readonly number[]): number[] {
  const largest = Math.max(...weights);
  if (!weights.every((weight) => weight >= 0 && Number.isFinite(weight)) || !(largest > 0)) {
    throw new Error('Domain weights (mixture.weights) must be finite numbers from 0, not all zero.');
  }
  // Dividing by the largest first keeps the sum finite.
  const scaled = weights.map((weight) => weight / largest);
  const total = scaled.reduce((sum, weight) => sum + weight, 0);
  return scaled.map((weight) => weight / total);
}

/**
 * The mixture of the first step: the weights asked for, or the corpus' own. `constant` always takes the
 * corpus' own.
 *
 * @throws Error if weights are given for another number of domains.
 */
export function startMixture(
  mode: MixtureMode,
  asked: readonly number[],
  corpusWeights: readonly number[],
): number[] {
  if (mode === 'constant' || asked.length === 0) return normalised(corpusWeights);
  if (asked.length !== corpusWeights.length) {
    throw new Error(
      `Domain weights (mixture.weights) must have ${corpusWeights.length} numbers, one for each domain, but it has ${asked.length}.`,
    );
  }
  return normalised(asked);
}

/**
 * Dynamic batch loading (docs/method.md, section 5; Sheared LLaMA, Algorithm 1), in float64:
 *
 *   Δ  = loss − reference, or max(loss − reference, 0) with `clamp`
 *   a  = softmax(ln w + Δ)
 *   w' = (1 − c)·a + c/n
 *
 * Engines may give different last digits for log and exp (ECMA-262 leaves them open), and a page and a terminal are
 * to draw the same windows: each exponential is rounded to float32, which is what losses are measured in, and all that
 * follows is arithmetic that is the same everywhere.
 *
 * @throws Error if a loss is not finite or the lists differ in length.
 */
export function updateMixture(update: MixtureUpdate): number[] {
  const { mode, weights, loss, reference, clamp, smoothing } = update;
  if (mode !== 'dynamic') return normalised(weights);
  const n = weights.length;
  if (loss.length !== n || reference.length !== n) {
    throw new Error(
      `The mixture has ${n} domains, but there are ${loss.length} losses and ${reference.length} references.`,
    );
  }
  const logits = normalised(weights).map((weight, i) => {
    const excess = loss[i]! - reference[i]!;
    if (!Number.isFinite(excess)) throw new Error(`The loss of domain ${i + 1} is not a finite number.`);
    return Math.log(weight) + (clamp ? Math.max(excess, 0) : excess);
  });
  const largest = Math.max(...logits);
  const softmax = normalised(logits.map((logit) => Math.fround(Math.exp(logit - largest))));
  return normalised(softmax.map((weight) => (1 - smoothing) * weight + smoothing / n));
}
