import { finite } from '../fields/finite';
import type { Inference } from './inference';

/** Summed cross-entropy in nats and the number of predictions it sums. */
export interface LossSum {
  nats: number;
  predictions: number;
}

/** Rows of a batch that is only evaluated: enough to fill a GPU, few enough to keep a submit short. */
const EVALUATION_ROWS = 2048;

/** Batches that may be on their way before the oldest one's losses are waited for. */
const BATCHES_IN_FLIGHT = 2;

/** Windows in a batch of an evaluation. */
export function evaluationBatch(context: number): number {
  return Math.max(1, Math.min(16, Math.floor(EVALUATION_ROWS / context)));
}

/** Windows of T tokens one after the other: [windows·T]. */
export interface WindowSet {
  /** Names the set in sentences, such as a domain. */
  name: string;
  tokens: Uint32Array;
  windows: number;
}

/**
 * Mean cross-entropy of each set of windows; every window has the inference's context length and gives
 * T − 1 predictions. Windows of all sets share batches, so the last batch alone is padded.
 *
 * @param sets windows by set (a domain, say)
 * @param between called after each batch with the share done; may wait (pause) or throw (cancel).
 * @throws NotFiniteError that names model and set when a loss is NaN or infinite
 */
export async function evaluateSets(
  inference: Inference,
  sets: readonly WindowSet[],
  between: (done: number, total: number) => Promise<void> | void = () => undefined,
): Promise<LossSum[]> {
  const { batch, context } = inference.shape;
  const sums = sets.map(() => ({ nats: 0, predictions: 0 }));
  const queue = sets.flatMap(({ tokens, windows }, set) =>
    Array.from({ length: windows }, (_, w) => ({
      set,
      tokens: tokens.subarray(w * context, (w + 1) * context),
    })),
  );
  const inFlight: Promise<void>[] = [];
  try {
    for (let first = 0; first < queue.length; first += batch) {
      const part = queue.slice(first, first + batch);
      const tokens = new Uint32Array(batch * context);
      part.forEach((window, i) => tokens.set(window.tokens, i * context));
      const measured = inference.losses(tokens).then((losses) =>
        part.forEach(({ set }, i) => {
          const sum = sums[set]!;
          for (let row = i * context; row < (i + 1) * context - 1; row++) sum.nats += losses[row]!;
          finite(sum.nats, `The loss on ${sets[set]!.name} (${inference.label})`);
          sum.predictions += context - 1;
        }),
      );
      measured.catch(() => undefined);
      inFlight.push(measured);
      if (inFlight.length > BATCHES_IN_FLIGHT) await inFlight.shift();
      await between(Math.min(queue.length, first + batch), queue.length);
    }
    for (const measured of inFlight) await measured;
  } finally {
    await Promise.allSettled(inFlight);
  }
  return sums;
}

export function meanLoss({ nats, predictions }: LossSum): number {
  return predictions === 0 ? Number.NaN : nats / predictions;
}
