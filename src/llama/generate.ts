import { allFinite } from '../fields/finite';
import type { Inference } from './inference';

export interface GenerationOptions {
  maxTokens: number;
  /** 0 takes the likeliest token; otherwise logits are divided by it and sampled. */
  temperature: number;
  seed: number;
}

/** mulberry32: enough for drawing tokens; the same seed gives the same text on the same adapter. */
function uniformSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function choose(logits: Float32Array, temperature: number, uniform: () => number): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  if (temperature <= 0) return best;
  const weights = Float64Array.from(logits, (l) => Math.exp((l - logits[best]!) / temperature));
  let left = uniform() * weights.reduce((a, b) => a + b, 0);
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!;
    if (left <= 0) return i;
  }
  return best;
}

/**
 * Continues `prompt`, as the start of a document (behind the model's BOS token), token by token. When the
 * context is full, its older half is forgotten. Stops at the end-of-text token. The inference has batch 1.
 *
 * @throws when the prompt is empty: the first token needs something to follow; NotFiniteError when a logit is not
 *   finite: no token is the likeliest then.
 */
export async function* generate(
  inference: Inference,
  prompt: readonly number[],
  { maxTokens, temperature, seed }: GenerationOptions,
): AsyncGenerator<number> {
  if (prompt.length === 0)
    throw new Error('The prompt is empty: give the model at least one token to follow.');
  const { context } = inference.shape;
  const { bosTokenId, eosTokenId } = inference.config;
  const uniform = uniformSource(seed);
  let window = [...(bosTokenId === null ? [] : [bosTokenId]), ...prompt].slice(-context);
  for (let count = 0; count < maxTokens; count++) {
    if (window.length >= context) window = window.slice(-Math.ceil(context / 2));
    const tokens = new Uint32Array(context);
    tokens.set(window);
    const logits = await inference.logits(tokens, window.length - 1, 1);
    allFinite(logits, `The logits behind token ${window.length} (${inference.label})`);
    const token = choose(logits, temperature, uniform);
    if (token === eosTokenId) return;
    window.push(token);
    yield token;
  }
}
