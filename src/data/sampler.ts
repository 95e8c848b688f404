import type { Corpus, Domain } from './corpus';
import { shuffledIndex, uniform } from './random';

/**
 * Where a run stands in its data: plain JSON. With the seed it says everything, because every draw is a
 * function of (seed, number of the draw).
 */
export interface SamplerState {
  seed: number;
  /** Tokens in a window; a window gives contextLength − 1 predictions, its last token predicts nothing. */
  contextLength: number;
  /** Windows drawn so far, over all domains. */
  drawn: number;
  /** Windows drawn so far, by domain. */
  drawnByDomain: number[];
}

export interface Batch {
  /** [batchSize · contextLength] */
  tokens: Uint32Array;
  /** [batchSize]: the domain that each window comes from. */
  domains: Uint32Array;
}

/** Keys of independent random streams. */
const DOMAIN_STREAM = 1;
const ORDER_STREAM = 2;

export function startSampler(seed: number, contextLength: number, domainCount: number): SamplerState {
  return { seed, contextLength, drawn: 0, drawnByDomain: Array<number>(domainCount).fill(0) };
}

function windowCount(domain: Domain, split: 'train' | 'validation', contextLength: number): number {
  const windows = Math.floor(domain[split].length / contextLength);
  if (windows === 0) {
    throw new Error(
      `Domain ${domain.name} has ${domain[split].length} ${split} tokens, fewer than one window: contextLength must be smaller than ${contextLength}.`,
    );
  }
  return windows;
}

/** The domain at point `u` in [0, 1) of the cumulative mixture; domains of weight 0 are never drawn. */
function categorical(mixture: readonly number[], u: number): number {
  const total = mixture.reduce((sum, weight) => sum + weight, 0);
  let point = u * total;
  let last = -1;
  for (const [domain, weight] of mixture.entries()) {
    if (!(weight > 0)) continue;
    last = domain;
    point -= weight;
    if (point < 0) return domain;
  }
  if (last < 0) throw new Error('The mixture gives every domain the weight 0.');
  return last;
}

/**
 * Draws the next batch (docs/method.md, section 5): each window draws its domain independently from `mixture` (need not sum
 * to 1). Within a domain, windows are the non-overlapping pieces of its text in a shuffled order of its own;
 * when a domain's list is used up it is shuffled anew, whatever the other domains do.
 *
 * @throws Error when a domain has less text than one window.
 */
export function nextBatch(
  state: SamplerState,
  corpus: Pick<Corpus, 'domains'>,
  mixture: readonly number[],
  batchSize: number,
): { state: SamplerState; batch: Batch } {
  const { seed, contextLength } = state;
  if (mixture.length !== corpus.domains.length || state.drawnByDomain.length !== corpus.domains.length) {
    throw new Error(`The mixture has ${mixture.length} weights for ${corpus.domains.length} domains.`);
  }
  const drawnByDomain = [...state.drawnByDomain];
  const tokens = new Uint32Array(batchSize * contextLength);
  const domains = new Uint32Array(batchSize);
  for (let b = 0; b < batchSize; b++) {
    const index = categorical(mixture, uniform(seed, DOMAIN_STREAM, state.drawn + b));
    const domain = corpus.domains[index]!;
    const windows = windowCount(domain, 'train', contextLength);
    const draw = drawnByDomain[index]!++;
    const epoch = Math.floor(draw / windows);
    const window = shuffledIndex(draw % windows, windows, seed, ORDER_STREAM, index, epoch);
    tokens.set(
      domain.train.subarray(window * contextLength, (window + 1) * contextLength),
      b * contextLength,
    );
    domains[b] = index;
  }
  return {
    state: { ...state, drawn: state.drawn + batchSize, drawnByDomain },
    batch: { tokens, domains },
  };
}

/**
 * `count` windows spread evenly over a domain's validation split (or all windows, if it has fewer), the same
 * for every run: losses of different runs and models compare on equal text.
 *
 * @returns [windows · contextLength] tokens, the number of windows and the domain's name.
 * @throws Error when the split has less text than one window.
 */
export function evaluationWindows(
  domain: Domain,
  contextLength: number,
  count: number,
): { name: string; tokens: Uint32Array; windows: number } {
  const available = windowCount(domain, 'validation', contextLength);
  const windows = Math.min(count, available);
  const tokens = new Uint32Array(windows * contextLength);
  for (let i = 0; i < windows; i++) {
    const start = Math.floor((i * available) / windows) * contextLength;
    tokens.set(domain.validation.subarray(start, start + contextLength), i * contextLength);
  }
  return { name: domain.name, tokens, windows };
}
