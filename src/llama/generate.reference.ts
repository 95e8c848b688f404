import { allFinite } from '../fields/finite';
import type { GenerationOptions } from './generate';
import type { Inference } from './inference';
import { tokenSampler } from './sampling';

/**
 * What `generate` writes, without a cache: every token works through the whole context, in the batched forward pass.
 * The inference has batch 1.
 */
export async function* generateUncached(
  inference: Inference,
  prompt: readonly number[],
  { maxTokens, temperature, seed }: GenerationOptions,
): AsyncGenerator<number> {
  const { context } = inference.shape;
  const { bosTokenId, eosTokenId } = inference.config;
  const sample = tokenSampler(temperature, seed);
  let window = [...(bosTokenId === null ? [] : [bosTokenId]), ...prompt].slice(-context);
  for (let count = 0; count < maxTokens; count++) {
    if (window.length >= context) window = window.slice(-Math.ceil(context / 2));
    const tokens = new Uint32Array(context);
    tokens.set(window);
    const logits = await inference.logits(tokens, window.length - 1, 1);
    allFinite(logits, `The logits behind token ${window.length} (${inference.label})`);
    const token = sample(logits);
    if (token === eosTokenId) return;
    window.push(token);
    yield token;
  }
}
