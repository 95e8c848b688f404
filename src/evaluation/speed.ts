import type { Gpu } from '../gpu/device';
import { evaluationBatch } from '../llama/evaluate';
import { withModel } from '../llama/inference';
import type { FlatModel } from '../llama/parameters';

/** What one adapter takes for a model's forward pass; on a software adapter it says nothing about a GPU. */
export interface Speed {
  /** Median milliseconds from one window of tokens to the logits of its last position, read back. */
  milliseconds: number;
  /** Over full batches, several on their way at once. */
  tokensPerSecond: number;
}

/** The first runs pay for compiling and for a clock that is still asleep. */
const WARM_UP = 5;
const TIMED_WINDOWS = 21;
const TIMED_BATCHES = 4;

/**
 * Times the forward pass over windows of `context` tokens. What the tokens are does not matter: every window
 * costs the same.
 *
 * @param between called between passes; may wait or throw (cancel).
 */
export async function measureSpeed(
  gpu: Gpu,
  model: FlatModel,
  context: number,
  between: () => Promise<void>,
): Promise<Speed> {
  const milliseconds = await withModel(gpu, 'latency', model, { batch: 1, context }, async (inference) => {
    const tokens = new Uint32Array(context);
    const times: number[] = [];
    for (let i = 0; i < WARM_UP + TIMED_WINDOWS; i++) {
      await between();
      const started = performance.now();
      await inference.logits(tokens, context - 1, 1);
      if (i >= WARM_UP) times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b)[(TIMED_WINDOWS - 1) / 2]!;
  });
  const shape = { batch: evaluationBatch(context), context };
  const tokensPerSecond = await withModel(gpu, 'throughput', model, shape, async (inference) => {
    const tokens = new Uint32Array(shape.batch * context);
    await inference.losses(tokens);
    await between();
    const started = performance.now();
    await Promise.all(Array.from({ length: TIMED_BATCHES }, () => inference.losses(tokens)));
    return (TIMED_BATCHES * tokens.length * 1000) / (performance.now() - started);
  });
  return { milliseconds, tokensPerSecond };
}
