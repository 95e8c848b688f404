import type { Gpu } from '../gpu/device';
import type { ModelView } from '../llama/model';
import { createTargetScorer, SCORES_IN_FLIGHT, type TargetScorer } from '../llama/target-scores';
import type { Request } from './request';

/** What a model says of a request's continuation. */
export interface Likelihood {
  /** Σ ln p of its tokens, in nats. */
  logLikelihood: number;
  /** Greedy decoding would have written every one of its tokens. */
  greedy: boolean;
}

/** Window lengths are multiples of this: a few shapes to record, and little padding. */
const LENGTH_STEP = 32;

/** Rows of a batch: enough to fill a GPU, few enough to keep a submit short. */
const BATCH_ROWS = 2048;

/** The window that a model reads has no need of the last token. */
function windowLength(request: Request, limit: number): number {
  return Math.min(limit, Math.ceil((request.tokens.length - 1) / LENGTH_STEP) * LENGTH_STEP);
}

/**
 * Likelihoods of many requests [item][choice]. Items of about the same length share batches, longest first,
 * so that what a model needs most memory for comes before hours are spent.
 *
 * @param between called after each batch with the items that became complete; may wait (pause) or throw (cancel).
 */
export async function scoreRequests(
  gpu: Gpu,
  model: ModelView,
  items: readonly (readonly Request[])[],
  between: (completed: readonly number[]) => Promise<void> | void,
): Promise<Likelihood[][]> {
  const limit = model.config.maxPositionEmbeddings;
  const results: Likelihood[][] = items.map(() => []);
  for (const [context, members] of byWindowLength(items, limit)) {
    const queue = members.flatMap((item) =>
      items[item]!.map((request, choice) => ({
        request,
        item,
        last: choice === items[item]!.length - 1,
        store: (likelihood: Likelihood) => (results[item]![choice] = likelihood),
      })),
    );
    const batch = Math.min(queue.length, Math.max(1, Math.floor(BATCH_ROWS / context)));
    const scorer = await createTargetScorer(gpu, `windows of ${context} tokens`, model, { batch, context });
    try {
      await scoreQueue(scorer, queue, between);
    } finally {
      scorer.destroy();
    }
  }
  return results;
}

/** Items by the window length of their longest request, longest windows first. */
function byWindowLength(items: readonly (readonly Request[])[], limit: number): [number, number[]][] {
  const groups = new Map<number, number[]>();
  items.forEach((requests, item) => {
    const length = Math.max(...requests.map((request) => windowLength(request, limit)));
    const group = groups.get(length);
    if (group) group.push(item);
    else groups.set(length, [item]);
  });
  return [...groups].sort(([a], [b]) => b - a);
}

interface Queued {
  request: Request;
  item: number;
  /** The item's last request. */
  last: boolean;
  store(likelihood: Likelihood): void;
}

async function scoreQueue(
  scorer: TargetScorer,
  queue: readonly Queued[],
  between: (completed: readonly number[]) => Promise<void> | void,
): Promise<void> {
  const { batch } = scorer.shape;
  const inFlight: Promise<void>[] = [];
  try {
    for (let first = 0; first < queue.length; first += batch) {
      const part = queue.slice(first, first + batch);
      const scored = scoreBatch(scorer, part);
      scored.catch(() => undefined);
      inFlight.push(scored);
      if (inFlight.length === SCORES_IN_FLIGHT) await inFlight.shift();
      await between(part.filter(({ last }) => last).map(({ item }) => item));
    }
    for (const scored of inFlight) await scored;
  } finally {
    await Promise.allSettled(inFlight);
  }
}

async function scoreBatch(scorer: TargetScorer, part: readonly Queued[]): Promise<void> {
  const { batch, context } = scorer.shape;
  const tokens = new Uint32Array(batch * context);
  const rows: number[] = [];
  const targets: number[] = [];
  part.forEach(({ request }, window) => {
    // What stands behind a shorter window is never seen by its own positions: attention is causal.
    const read = request.tokens.slice(0, -1);
    tokens.set(read, window * context);
    for (let t = read.length - request.scored; t < read.length; t++) {
      rows.push(window * context + t);
      targets.push(request.tokens[t + 1]!);
    }
  });
  const { losses, ranks } = await scorer.score(tokens, rows, targets);
  let row = 0;
  for (const { request, store } of part) {
    const end = row + request.scored;
    let logLikelihood = 0;
    for (let r = row; r < end; r++) logLikelihood -= losses[r]!;
    store({ logLikelihood, greedy: ranks.subarray(row, end).every((rank) => rank === 0) });
    row = end;
  }
}
