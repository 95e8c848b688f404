import { describe, expect, test } from 'vitest';
import type { Gpu } from '../gpu/device';
import { crossEntropyReference } from '../kernels/cross-entropy.reference';
import { targetRankReference } from '../kernels/target-rank.reference';
import { expectClose, PROFILES, testGpu } from '../kernels/testing';
import { createInference, uploadModel } from './inference';
import { createTargetScorer, SCORES_IN_FLIGHT } from './target-scores';
import { randomParameters, TINY } from './testing';

const shape = { batch: 3, context: 7 };
const windows = (seed: number) =>
  Uint32Array.from({ length: shape.batch * shape.context }, (_, i) => (i * 17 + seed * 5) % TINY.vocabSize);

async function withTiny<T>(gpu: Gpu, use: (model: ReturnType<typeof uploadModel>) => Promise<T>) {
  const before = gpu.heldBytes();
  const model = uploadModel(gpu, 'tiny', { config: TINY, parameters: randomParameters(TINY) });
  await use(model);
  model.destroy();
  expect(gpu.heldBytes()).toBe(before);
}

describe.each(PROFILES)('target scores, %s kernels', (profile) => {
  test('are those of the rows asked for, in their order', async () => {
    const gpu = await testGpu(profile);
    await withTiny(gpu, async (model) => {
      const tokens = windows(1);
      const inference = await createInference(gpu, 'whole', model, shape);
      const logits = await inference.logits(tokens, 0, tokens.length);
      inference.destroy();

      const rows = [20, 3, 4, 11, 0];
      const chosen = rows.flatMap((row) => [
        ...logits.subarray(row * TINY.vocabSize, (row + 1) * TINY.vocabSize),
      ]);
      const scorer = await createTargetScorer(gpu, 'scorer', model, shape);
      const likeliest = rows.map((_, i) => {
        const row = chosen.slice(i * TINY.vocabSize, (i + 1) * TINY.vocabSize);
        return row.indexOf(Math.max(...row));
      });
      for (const targets of [likeliest, [1, 60, 0, 7, 7]]) {
        const { losses, ranks } = await scorer.score(tokens, rows, targets);
        // Logits of the same rows in a product of another size: the order of its sums may differ.
        const expected = crossEntropyReference(chosen, targets, TINY.vocabSize, 1).losses;
        expectClose(losses, expected, { atol: 1e-5, rtol: 1e-6 });
        expect([...ranks]).toEqual(targetRankReference(chosen, targets, TINY.vocabSize));
      }
      scorer.destroy();
    });
  });

  test('several batches under way do not mix, and more of them are refused', async () => {
    const gpu = await testGpu(profile);
    await withTiny(gpu, async (model) => {
      const scorer = await createTargetScorer(gpu, 'scorer', model, shape);
      const ask = (seed: number) => scorer.score(windows(seed), [seed, 6], [2, 3]);
      const seeds = Array.from({ length: SCORES_IN_FLIGHT }, (_, i) => i);
      const alone = [];
      for (const seed of seeds) alone.push(await ask(seed));
      const together = seeds.map(ask);
      await expect(ask(9)).rejects.toThrow(/more than/);
      expect(await Promise.all(together)).toEqual(alone);
      expect(alone[0]).not.toEqual(alone[1]);
      scorer.destroy();
    });
  });
});
