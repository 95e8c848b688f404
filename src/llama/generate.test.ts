import { describe, expect, test } from 'vitest';
import { PROFILES, randomValues, testGpu } from '../kernels/testing';
import { adapterLayout } from './adapters';
import { createDecoder, STEPS_IN_FLIGHT, withDecoder } from './decode';
import type { LlamaConfig } from './config';
import { gateLayout } from './gates';
import { generate, type GenerationOptions } from './generate';
import { generateUncached } from './generate.reference';
import { openGates, uploadModel, withModel } from './inference';
import type { FlatModel } from './parameters';
import { randomParameters, TINY } from './testing';

/** No token ends the text, so that every length is written. */
const ENDLESS: LlamaConfig = { ...TINY, eosTokenId: null };

function modelOf(changes: Partial<LlamaConfig>): FlatModel {
  const config = { ...ENDLESS, ...changes };
  return { config, parameters: randomParameters(config, 0.4) };
}

const MODELS: [string, FlatModel][] = [
  ['as many key as query heads, untied', modelOf({})],
  [
    'shared keys, tied, all biases, no BOS',
    modelOf({
      numAttentionHeads: 6,
      numKeyValueHeads: 2,
      headDim: 16,
      tieWordEmbeddings: true,
      attentionBias: true,
      mlpBias: true,
      bosTokenId: null,
    }),
  ],
  ['odd sizes', modelOf({ hiddenSize: 23, intermediateSize: 37, headDim: 6 })],
];

/** Every set has zeros and fractions; a whole head is closed, and a whole branch. */
function someGates(config: LlamaConfig): Float32Array {
  const gates = openGates(config);
  const { head, hidden, intermediate, layer } = gateLayout(config);
  const values = randomValues(gates.length, 8);
  for (const { offset, rows, length } of [hidden, intermediate]) {
    for (let i = offset; i < offset + rows * length; i++) gates[i] = values[i]! < -0.5 ? 0 : 1;
  }
  gates[hidden.offset + 1] = 0.75;
  gates[head.offset] = 0;
  gates[head.offset + 1] = 0.5;
  gates[layer.offset + 1] = 0.25;
  return gates;
}

async function collect(tokens: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const token of tokens) all.push(token);
  return all;
}

/** The tokens that a model writes with its cache and without; nothing stays on the GPU. */
async function written(
  model: FlatModel,
  context: number,
  prompt: readonly number[],
  options: GenerationOptions,
  gates = openGates(model.config),
  profile: (typeof PROFILES)[number] = 'gpu',
) {
  const gpu = await testGpu(profile);
  const before = gpu.heldBytes();
  const cached = await withDecoder(gpu, 'cached', model, context, (decoder) => {
    decoder.setGates(gates);
    return collect(generate(decoder, prompt, options));
  });
  const uncached = await withModel(gpu, 'uncached', model, { batch: 1, context }, (inference) => {
    inference.setGates(gates);
    return collect(generateUncached(inference, prompt, options));
  });
  expect(gpu.heldBytes()).toBe(before);
  expect(gpu.uncapturedError()).toBeNull();
  return { cached, uncached };
}

const promptOf = (length: number) => Array.from({ length }, (_, i) => 1 + ((i * 37 + 11) % 60));

/*
 * The two paths add in different orders, so that their logits differ by rounding, a few 1e-6; these models' best two
 * logits and the limits of a draw are farther apart than that at every token that is written here.
 */
describe.each(MODELS)('with its cache a model writes what it writes without: %s', (_, model) => {
  const own = model.config.bosTokenId === null ? 0 : 1;
  describe.each([
    ['greedy', 0],
    ['sampled', 0.9],
  ])('%s', (_kind, temperature) => {
    const options = { temperature, seed: 5, maxTokens: 29 };
    // Filled to the brim with the BOS token, one short of that, longer, and one token: always across the edge.
    test.each([1, 7, 15 - own, 16 - own, 16, 41])('a prompt of %i, 16 positions', async (length) => {
      const { cached, uncached } = await written(model, 16, promptOf(length), options);
      expect(cached).toEqual(uncached);
      expect(cached.length).toBe(29);
    });

    test.each([1, 2, 3])('%i positions', async (context) => {
      const { cached, uncached } = await written(model, context, [7, 3], { ...options, maxTokens: 6 });
      expect(cached).toEqual(uncached);
      expect(cached.length).toBe(6);
    });

    test.each(PROFILES)('gates with zeros and fractions, %s kernels', async (profile) => {
      const gates = someGates(model.config);
      const masked = await written(model, 16, promptOf(5), options, gates, profile);
      expect(masked.cached).toEqual(masked.uncached);
      const open = await written(model, 16, promptOf(5), options, undefined, profile);
      expect(open.cached).toEqual(open.uncached);
      expect(masked.cached).not.toEqual(open.cached);
    });
  });
});

describe('a decoder', () => {
  const [, model] = MODELS[0]!;
  const options = { temperature: 0, seed: 1, maxTokens: 20 };

  test('has the logits of the batched forward pass, to rounding', async () => {
    const gpu = await testGpu();
    const tokens = promptOf(9);
    const cached = await withDecoder(gpu, 'cached', model, 9, async (decoder) => {
      await decoder.begin(tokens.slice(0, 3));
      const rows = [await decoder.logits()];
      for (const token of tokens.slice(3)) {
        decoder.take(token);
        rows.push(await decoder.logits());
      }
      return rows;
    });
    const whole = await withModel(gpu, 'uncached', model, { batch: 1, context: 9 }, (inference) =>
      inference.logits(Uint32Array.from(tokens), 2, 7),
    );
    const most = Math.max(...whole.map(Math.abs));
    cached
      .flatMap((row) => [...row])
      .forEach((v, i) => {
        // Sums of at most 40 terms in three products a layer, two layers and the head.
        expect(Math.abs(v - whole[i]!)).toBeLessThan(1e-5 * most);
      });
  });

  test('stops at the end of the text, and can begin anew', async () => {
    const gpu = await testGpu();
    const { cached } = await written(model, 32, [4, 9], options);
    const eosTokenId = cached[6]!;
    const end = cached.indexOf(eosTokenId);
    const ending = { ...model, config: { ...model.config, eosTokenId } };
    const before = gpu.heldBytes();
    await withDecoder(gpu, 'ending', ending, 32, async (decoder) => {
      for (const inFlight of [1, STEPS_IN_FLIGHT]) {
        const tokens = generate(decoder, [4, 9], { ...options, inFlight });
        expect(await collect(tokens)).toEqual(cached.slice(0, end));
      }
    });
    expect(gpu.heldBytes()).toBe(before);
  });

  test('that is left in the middle gives everything back', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const view = uploadModel(gpu, 'left', model);
    const decoder = await createDecoder(gpu, 'left', view, 32);
    const { cached } = await written(model, 32, [4, 9], options);
    const first: number[] = [];
    for await (const token of generate(decoder, [4, 9], options)) {
      first.push(token);
      if (first.length === 3) break;
    }
    expect(first).toEqual(cached.slice(0, 3));
    // Abandoned without a word, with steps under way.
    const abandoned = generate(decoder, [4, 9], options);
    expect((await abandoned.next()).value).toBe(cached[0]);
    decoder.destroy();
    view.destroy();
    await gpu.device.queue.onSubmittedWorkDone();
    expect(gpu.heldBytes()).toBe(before);
    expect(gpu.uncapturedError()).toBeNull();
  });

  test('waits for no token but one when several are under way', async () => {
    const gpu = await testGpu();
    await withDecoder(gpu, 'counted', model, 32, async (decoder) => {
      const before = { ...gpu.counters };
      await collect(generate(decoder, [4, 9, 2], options));
      // The prompt, then a submit a token.
      expect(gpu.counters.submits - before.submits).toBe(1 + options.maxTokens);
      expect(gpu.counters.readBacks - before.readBacks).toBe(options.maxTokens);
    });
  });

  test('refuses an empty prompt, no tokens, too many, and a step beyond its cache', async () => {
    const gpu = await testGpu();
    await withDecoder(gpu, 'small', model, 2, async (decoder) => {
      await expect(collect(generate(decoder, [], options))).rejects.toThrow('The prompt is empty');
      await expect(decoder.begin([])).rejects.toThrow('0 tokens do not begin a sequence of 1 to 2');
      await expect(decoder.begin([1, 2, 3])).rejects.toThrow('3 tokens');
      await decoder.begin([1, 2]);
      await decoder.likeliest();
      await expect(decoder.logits()).rejects.toThrow('the cache of 2 positions is full');
    });
    const held = gpu.heldBytes();
    const view = uploadModel(gpu, 'adapted', model);
    const lora = { rank: 2, alpha: 2, dropout: 0, projections: ['q'] as const, seed: 1 };
    const adapters = { lora, layout: adapterLayout(model.config, lora), values: view.parameters, step: null };
    await expect(createDecoder(gpu, 'adapted', { ...view, adapters }, 2)).rejects.toThrow(
      /fold them in first/,
    );
    view.destroy();
    expect(gpu.heldBytes()).toBe(held);
  });
});
