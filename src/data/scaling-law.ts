import { InputError } from '../formats/refusal';

/** loss(N) = a / N^b + c: nats a token of a model with N parameters, all of a family with one token budget. */
export interface ScalingLaw {
  a: number;
  b: number;
  c: number;
}

/** What one member of a family reaches. */
export interface SizePoint {
  /** All parameters, embeddings included: the N of the published fits. */
  parameters: number;
  /** Nats a token. */
  loss: number;
}

/** Fewer sizes than unknowns leave the law open. */
export const FEWEST_SIZES = 3;
/**
 * Exponents that are tried. Published ones lie between 0.03 and 0.4. Under the smallest, a line in log N is as
 * good and has no floor; over the largest, every size but the first is at the floor.
 */
const EXPONENTS = { smallest: 0.005, largest: 4 };
/** Exponents of the first, coarse look: each 7 % above the one before. */
const COARSE = 100;
/** The bracket shrinks by 0.618 each time: to the last bits of a double. */
const GOLDEN_STEPS = 80;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

export function lossAt({ a, b, c }: ScalingLaw, parameters: number): number {
  return a * parameters ** -b + c;
}

/**
 * The law with the smallest squared error, by variable projection: for a given b the best a and c are those
 * of a straight line in N^−b, which leaves a search in b alone (a coarse look, then golden section). With
 * exactly three sizes the error is 0, which is the interpolation that Sheared LLaMA uses (docs/method.md, section 6).
 *
 * @throws InputError in one sentence: fewer than three sizes, or no such law through these losses.
 */
export function fitScalingLaw(points: readonly SizePoint[]): ScalingLaw {
  const sizes = new Set(points.map(({ parameters }) => parameters)).size;
  if (sizes < FEWEST_SIZES) {
    throw new InputError(
      `A scaling law a/N^b + c needs models of at least ${FEWEST_SIZES} sizes, but there ${sizes === 1 ? 'is' : 'are'} ${sizes}.`,
    );
  }
  if (!points.every(({ parameters, loss }) => parameters > 0 && Number.isFinite(parameters + loss))) {
    throw new InputError('A scaling law needs finite losses and numbers of parameters above 0.');
  }
  const ratio = (EXPONENTS.largest / EXPONENTS.smallest) ** (1 / (COARSE - 1));
  const exponents = Array.from({ length: COARSE }, (_, i) => EXPONENTS.smallest * ratio ** i);
  const errors = exponents.map((b) => lineIn(points, b).error);
  const best = errors.indexOf(Math.min(...errors));
  if (lineIn(points, exponents[best]!).slope <= 0) {
    throw new InputError('The larger models of the family are not better: no scaling law fits their losses.');
  }
  if (best === 0) {
    throw new InputError(
      'The losses fall as fast as log N or faster: no power law with a floor fits them, so they cannot be continued to other sizes.',
    );
  }
  if (best === COARSE - 1) {
    throw new InputError(
      'The losses do not fall beyond the smallest model: no power law fits them, so they cannot be continued to other sizes.',
    );
  }
  const b = goldenSection((b) => lineIn(points, b).error, exponents[best - 1]!, exponents[best + 1]!);
  const { slope, intercept, centre } = lineIn(points, b);
  return { a: slope * centre ** b, b, c: intercept };
}

/** Least squares of loss = slope·(N / centre)^−b + intercept; the centre keeps the powers near 1. */
function lineIn(points: readonly SizePoint[], b: number) {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const centre = Math.exp(mean(points.map(({ parameters }) => Math.log(parameters))));
  const x = points.map(({ parameters }) => (parameters / centre) ** -b);
  const y = points.map(({ loss }) => loss);
  const [xMean, yMean] = [mean(x), mean(y)];
  const covariance = mean(x.map((value, i) => (value - xMean) * (y[i]! - yMean)));
  const slope = covariance / mean(x.map((value) => (value - xMean) ** 2));
  const intercept = yMean - slope * xMean;
  const error = mean(y.map((value, i) => (value - slope * x[i]! - intercept) ** 2));
  return { slope, intercept, centre, error };
}

/** Where `f`, which falls and then rises between `low` and `high`, is smallest. */
function goldenSection(f: (x: number) => number, low: number, high: number): number {
  let [from, to] = [low, high];
  let [left, right] = [to - GOLDEN * (to - from), from + GOLDEN * (to - from)];
  let [atLeft, atRight] = [f(left), f(right)];
  for (let i = 0; i < GOLDEN_STEPS; i++) {
    if (atLeft < atRight) {
      [to, right, atRight] = [right, left, atLeft];
      left = to - GOLDEN * (to - from);
      atLeft = f(left);
    } else {
      [from, left, atLeft] = [left, right, atRight];
      right = from + GOLDEN * (to - from);
      atRight = f(right);
    }
  }
  return (from + to) / 2;
}
