import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../formats/hugging-face';
import { testGpu } from '../kernels/testing';
import { uploadModel } from '../llama/inference';
import { packParameters, parameterLayout } from '../llama/parameters';
import { scoreRequests } from './log-likelihood';
import type { Request } from './request';

interface GoldenModel {
  config: object;
  weights: Record<string, { data: number[] }>;
  tokens: number[][];
  plain: { logits: number[][][] };
}
const golden = (
  JSON.parse(readFileSync('scripts/reference/golden.json', 'utf8')) as { models: Record<string, GoldenModel> }
).models;

/** ln p of the last `scored` tokens and whether each is the likeliest, from the float64 logits of PyTorch. */
function expected(logits: number[][], { tokens, scored }: Request) {
  let logLikelihood = 0;
  let greedy = true;
  for (let t = tokens.length - scored; t < tokens.length; t++) {
    const row = logits[t - 1]!;
    const most = Math.max(...row);
    logLikelihood += row[tokens[t]!]! - most - Math.log(row.reduce((s, x) => s + Math.exp(x - most), 0));
    greedy &&= row.indexOf(most) === tokens[t];
  }
  return { logLikelihood, greedy };
}

describe.each(Object.keys(golden))('log-likelihoods of model %s', (name) => {
  const { config: json, weights, tokens, plain } = golden[name]!;
  const config = parseLlamaConfig({ model_type: 'llama', ...json });
  const tensors = new Map(Object.entries(weights).map(([n, { data }]) => [n, Float32Array.from(data)]));
  const parameters = packParameters(parameterLayout(config), tensors);

  it('are those of the reference, whatever shares a batch', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    // Every length, with short and long continuations, and one that greedy decoding would write.
    const items = tokens.flatMap((sequence, s) =>
      Array.from({ length: sequence.length - 1 }, (_, i) => {
        const context = sequence.slice(0, i + 1);
        const row = plain.logits[s]![i]!;
        const likeliest = row.indexOf(Math.max(...row));
        return {
          logits: plain.logits[s]!,
          requests: [
            { tokens: sequence.slice(0, i + 2), scored: 1, truncated: false },
            { tokens: sequence.slice(0, i + 2), scored: i + 1, truncated: false },
            { tokens: [...context, likeliest], scored: 1, truncated: false },
          ],
        };
      }),
    );
    const model = uploadModel(gpu, name, { config, parameters });
    const completed: number[] = [];
    const results = await scoreRequests(
      gpu,
      model,
      items.map(({ requests }) => requests),
      (now) => void completed.push(...now),
    );
    model.destroy();
    items.forEach(({ logits, requests }, i) =>
      requests.forEach((request, choice) => {
        const { logLikelihood, greedy } = expected(logits, request);
        const result = results[i]![choice]!;
        // Logits agree to 4e-5 (scripts/reference/README.md), so each token's ln p does to twice that.
        expect(Math.abs(result.logLikelihood - logLikelihood)).toBeLessThan(8e-5 * request.scored);
        expect(result.greedy).toBe(greedy);
      }),
    );
    expect(results.every(([, , likeliest]) => likeliest!.greedy)).toBe(true);
    expect(results.some(([truth]) => !truth!.greedy)).toBe(true);
    expect(completed.sort((a, b) => a - b)).toEqual(items.map((_, i) => i));
    expect(gpu.heldBytes()).toBe(before);
  });

  it('can be given up between batches, and nothing stays behind', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const model = uploadModel(gpu, name, { config, parameters });
    const request = { tokens: tokens[0]!, scored: 4, truncated: false };
    const many = Array.from({ length: 500 }, () => [request]);
    let calls = 0;
    const scoring = scoreRequests(gpu, model, many, () => {
      calls++;
      if (calls === 2) throw new Error('nobody waits');
    });
    await expect(scoring).rejects.toThrow('nobody waits');
    expect(calls).toBe(2);
    model.destroy();
    expect(gpu.heldBytes()).toBe(before);
  });
});
