import { STEPS_IN_FLIGHT, type Decoder } from './decode';
import { tokenSampler } from './sampling';

export interface GenerationOptions {
  maxTokens: number;
  /** 0 takes the likeliest token; otherwise logits are divided by it and sampled. */
  temperature: number;
  seed: number;
  /**
   * Steps that are under way at most while the caller has the turn or waits for a token, 1 to `STEPS_IN_FLIGHT`,
   * where the likeliest tokens are taken; 1 leaves the GPU idle until the next token is asked for.
   */
  inFlight?: number;
}

/**
 * Continues `prompt`, as the start of a document (behind the model's BOS token), token by token. When the
 * context is full, its older half is forgotten and the rest goes through the model anew, at its new positions. Stops
 * at the end-of-text token; steps that are under way then are dropped.
 *
 * @throws when the prompt is empty: the first token needs something to follow; NotFiniteError when a logit is not
 *   finite: no token is the likeliest then.
 */
export async function* generate(
  decoder: Decoder,
  prompt: readonly number[],
  { maxTokens, temperature, seed, inFlight = STEPS_IN_FLIGHT }: GenerationOptions,
): AsyncGenerator<number> {
  if (prompt.length === 0)
    throw new Error('The prompt is empty: give the model at least one token to follow.');
  const { context } = decoder;
  const { bosTokenId, eosTokenId } = decoder.config;
  const sample = tokenSampler(temperature, seed);
  let window = [...(bosTokenId === null ? [] : [bosTokenId]), ...prompt].slice(-context);
  let left = maxTokens;
  while (left > 0) {
    if (window.length >= context) window = window.slice(-Math.ceil(context / 2));
    await decoder.begin(window);
    // Until the context is full; one that holds a single token is full at once.
    const steps = Math.min(left, Math.max(1, context - window.length));
    const tokens = temperature <= 0 ? likeliest(decoder, steps, inFlight) : sampled(decoder, steps, sample);
    for await (const token of tokens) {
      if (token === eosTokenId) return;
      window.push(token);
      yield token;
    }
    left -= steps;
  }
}

/** The GPU chooses, so that further steps start before a token is back. */
async function* likeliest(decoder: Decoder, steps: number, inFlight: number): AsyncGenerator<number> {
  const underWay: Promise<number>[] = [];
  let started = 0;
  try {
    for (let done = 0; done < steps; done++) {
      for (; started < steps && underWay.length < inFlight; started++) underWay.push(startStep(decoder));
      yield await underWay.shift()!;
    }
  } finally {
    // Their staging buffers are free again before anybody else steps.
    await Promise.allSettled(underWay);
  }
}

function startStep(decoder: Decoder): Promise<number> {
  const token = decoder.likeliest();
  // It fails when it is waited for; until then a device may be lost or the decoder destroyed.
  token.catch(() => undefined);
  return token;
}

/** Drawn in float64 from logits that are read back: each step waits for the choice before it. */
async function* sampled(
  decoder: Decoder,
  steps: number,
  sample: (logits: Float32Array) => number,
): AsyncGenerator<number> {
  for (let done = 0; done < steps; done++) {
    const token = sample(await decoder.logits());
    decoder.take(token);
    yield token;
  }
}
