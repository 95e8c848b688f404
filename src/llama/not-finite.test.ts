import { expect, test } from 'vitest';
import { testGpu } from '../kernels/testing';
import { withDecoder } from './decode';
import { evaluateSets } from './evaluate';
import { generate } from './generate';
import { uploadModel, withModel } from './inference';
import { createTargetScorer } from './target-scores';
import { overflowingParameters, TINY } from './testing';

const model = { config: TINY, parameters: overflowingParameters(TINY) };
const shape = { batch: 2, context: 8 };

test('a model whose logits are NaN has no loss, no score and no next token', async () => {
  const gpu = await testGpu();
  const before = gpu.heldBytes();
  const set = { name: 'code', windows: 2, tokens: new Uint32Array(16).fill(3) };
  await expect(
    withModel(gpu, 'broken model', model, shape, (inference) => evaluateSets(inference, [set])),
  ).rejects.toThrow('The loss on code (broken model) is NaN, not a finite number.');
  for (const temperature of [0, 1]) {
    await expect(
      withDecoder(gpu, 'broken model', model, shape.context, async (decoder) => {
        for await (const token of generate(decoder, [1, 2], { maxTokens: 3, temperature, seed: 1 })) {
          throw new Error(`It wrote ${token}.`);
        }
      }),
    ).rejects.toThrow(/The logits behind token 3 \(broken model\) at place 1 is NaN/);
  }

  const view = uploadModel(gpu, 'broken', model);
  const scorer = await createTargetScorer(gpu, 'windows of 8 tokens', view, shape);
  await expect(scorer.score(new Uint32Array(16), [2, 5], [1, 2])).rejects.toThrow(
    'The score of a token (windows of 8 tokens) at place 1 is NaN, not a finite number.',
  );
  scorer.destroy();
  view.destroy();
  expect(gpu.heldBytes()).toBe(before);
});
