import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../formats/llama-config';
import { readFloats, uploadStorage, type Slice } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { expectClose, PROFILES, randomValues, testGpu } from '../kernels/testing';
import {
  adapterLayout,
  mergeAdapters,
  PROJECTIONS,
  type LoraOptions,
  type Projection,
} from '../llama/adapters';
import type { LlamaConfig } from '../llama/config';
import { createInference, withModel } from '../llama/inference';
import type { ModelView } from '../llama/model';
import { packParameters, parameterLayout, type TensorPlace } from '../llama/parameters';
import { randomParameters, TINY } from '../llama/testing';
import { initialAdapters } from './adapters';
import { expectSameAfterRestore, plainStepInputs as inputs } from './testing';
import { createTrainer, trainerBytes } from './trainer';

/**
 * Adapters against the float64 PyTorch of scripts/reference/lora.py. Logits and losses as in src/pruning/golden.test.ts.
 * Gradients are of up to 3 and were off by 5e-6 at most, adapters after three steps by 2e-7; the tolerances leave room
 * for another order of sums, 1.5e-5 and 2e-5.
 */
interface AdapterCase {
  model: string;
  rank: number;
  alpha: number;
  dropout: number;
  projections: Projection[];
  adapters: Record<string, number[]>;
  tokens: number[][];
  loss: number;
  logits: number[][][];
  gradients: Record<string, number[]>;
  steps: { tokens: number[][]; loss: number; gradient_norm: number }[];
  final_adapters: Record<string, number[]>;
}

const golden = JSON.parse(readFileSync('scripts/reference/golden.json', 'utf8')) as {
  models: Record<string, { config: object; weights: Record<string, { data: number[] }> }>;
  adapters: { seed: number; weight_decay: number; cases: Record<string, AdapterCase> };
};

const SHAPE = { batch: 2, context: 17 };
const ROWS = SHAPE.batch * SHAPE.context;

function opened({ model, adapters, ...settings }: AdapterCase) {
  const { config: json, weights } = golden.models[model]!;
  const config = parseLlamaConfig({ model_type: 'llama', ...json });
  const tensors = new Map(Object.entries(weights).map(([n, { data }]) => [n, Float32Array.from(data)]));
  const { rank, alpha, dropout, projections } = settings;
  const lora: LoraOptions = { rank, alpha, dropout, projections, seed: 1 };
  const layout = adapterLayout(config, lora);
  const values = new Float32Array(layout.total);
  for (const { name, offset } of layout.tensors) values.set(adapters[name]!, offset);
  return { config, parameters: packParameters(parameterLayout(config), tensors), lora, layout, values };
}

const batchOf = (tokens: number[][]) => ({
  tokens: Uint32Array.from(tokens.flat()),
  domains: new Uint32Array(tokens.length),
});

function expectTensors(
  tensors: readonly TensorPlace[],
  flat: Float32Array,
  wanted: Record<string, number[]>,
  tolerance: { atol: number; rtol: number },
) {
  expect(tensors.map(({ name }) => name).sort()).toEqual(Object.keys(wanted).sort());
  for (const { name, offset } of tensors) {
    const expected = wanted[name]!;
    expectClose(flat.subarray(offset, offset + expected.length), expected, tolerance);
  }
}

async function logitsOf(view: ModelView, tokens: Uint32Array) {
  const inference = await createInference(await testGpu(), 'adapted', view, SHAPE);
  const logits = await inference.logits(tokens, 0, ROWS);
  inference.destroy();
  return logits;
}

const config: LlamaConfig = { ...TINY, numAttentionHeads: 6, attentionBias: true, mlpBias: true };
const every: LoraOptions = { rank: 5, alpha: 8, dropout: 0.3, projections: PROJECTIONS, seed: 3 };
const tokens = Uint32Array.from(randomValues(ROWS, 6), (v) => Math.floor((v + 1) * 30));
const batch = { tokens, domains: new Uint32Array(2) };

async function adapted(
  lora: LoraOptions,
  parameters: Float32Array | Slice = randomParameters(config),
  shape = SHAPE,
  profile?: KernelProfile,
) {
  const gpu = await testGpu(profile);
  return createTrainer(gpu, { label: 'adapted', config, parameters, shape, extension: null, adapters: lora });
}

/** Adapters that change the model: B is not zero. */
const someValues = (lora: LoraOptions) =>
  Float32Array.from(randomValues(adapterLayout(config, lora).total, 8, 0.3));

describe('adapters in the golden file', () => {
  for (const [name, wanted] of Object.entries(golden.adapters.cases)) {
    for (const profile of PROFILES) {
      it(`${name}, ${profile} kernels: logits, loss and every gradient`, async () => {
        const { config, parameters, lora, layout, values } = opened(wanted);
        const gpu = await testGpu(profile);
        const trainer = await createTrainer(gpu, {
          label: 'golden',
          config,
          parameters,
          shape: SHAPE,
          extension: null,
          adapters: { ...lora, dropout: 0 },
        });
        trainer.write('adapters', values);
        const batch = batchOf(wanted.tokens);
        expectClose(await logitsOf(trainer.model, batch.tokens), wanted.logits.flat(2), {
          atol: 4e-5,
          rtol: 0,
        });
        const { meanLoss } = await trainer.step(batch, { ...inputs, step: 0, learningRate: 0 });
        expect(Math.abs(meanLoss - wanted.loss)).toBeLessThan(4e-6);
        const gradients = await readFloats(gpu, trainer.inspect().gradients);
        expectTensors(layout.tensors, gradients, wanted.gradients, { atol: 1.5e-5, rtol: 1e-5 });
        trainer.destroy();
        expect(gpu.uncapturedError()).toBeNull();
      });

      it(`${name}, ${profile} kernels: three steps with dropout ${wanted.dropout}`, async () => {
        const { config, parameters, lora, layout, values } = opened(wanted);
        const { seed, weight_decay: weightDecay } = golden.adapters;
        const trainer = await createTrainer(await testGpu(profile), {
          label: 'golden',
          config,
          parameters,
          shape: SHAPE,
          extension: null,
          adapters: lora,
        });
        trainer.write('adapters', values);
        for (const [step, { tokens, loss, gradient_norm }] of wanted.steps.entries()) {
          const metrics = await trainer.step(batchOf(tokens), {
            ...inputs,
            step,
            seed,
            weightDecay,
            learningRate: 1e-3,
          });
          expect(Math.abs(metrics.meanLoss - loss)).toBeLessThan(1e-5);
          expect(Math.abs(metrics.gradientNorm / gradient_norm - 1)).toBeLessThan(1e-5);
        }
        // Two per cent of a step of 1e-3: Adam divides a gradient that is almost zero by its own size.
        const final = await trainer.read('adapters');
        expectTensors(layout.tensors, final, wanted.final_adapters, { atol: 2e-5, rtol: 0 });
        trainer.destroy();
      });
    }
  }
});

describe('training adapters', () => {
  it('starts as the model itself, with A spread over ±1/√inputs', async () => {
    const { layers } = adapterLayout(config, every);
    const start = initialAdapters(config, every);
    for (const { a, b, inputs } of layers.flatMap((layer) => Object.values(layer).flat())) {
      const drawn = start.subarray(a.offset, a.offset + a.elements);
      const bound = 1 / Math.sqrt(inputs);
      expect(Math.max(...drawn)).toBeLessThan(bound);
      expect(Math.min(...drawn)).toBeGreaterThan(-bound);
      // The deviation of a uniform is its half-width over √3; five standard errors of it.
      const deviation = Math.sqrt(drawn.reduce((sum, v) => sum + v * v, 0) / a.elements);
      expect(Math.abs(deviation - bound / Math.sqrt(3))).toBeLessThan((2.3 * bound) / Math.sqrt(a.elements));
      expect(start.subarray(b.offset, b.offset + b.elements).every((v) => v === 0)).toBe(true);
    }
    const q = initialAdapters(config, { ...every, projections: ['q'] });
    expect(q.subarray(0, 5 * config.hiddenSize)).toEqual(start.subarray(0, 5 * config.hiddenSize));
    expect(initialAdapters(config, { ...every, seed: 4 })).not.toEqual(start);

    const trainer = await adapted(every);
    const plain = await withModel(
      await testGpu(),
      'plain',
      { config, parameters: randomParameters(config) },
      SHAPE,
      (inference) => inference.logits(tokens, 0, ROWS),
    );
    expect(await logitsOf(trainer.model, tokens)).toEqual(plain);
    trainer.destroy();
  });

  it('learns, and leaves the weights that it was given on the GPU alone', async () => {
    const gpu = await testGpu();
    const parameters = randomParameters(config);
    const given = uploadStorage(gpu, 'given', parameters);
    const trainer = await adapted({ ...every, dropout: 0 }, given);
    const losses = [];
    for (let s = 0; s < 60; s++) losses.push((await trainer.step(batch, { ...inputs, step: s })).meanLoss);
    // Sixty random tokens by low-rank changes of a random model: half of what a uniform guess costs.
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    expect(trainer.model.parameters.buffer).toBe(given.buffer);
    trainer.destroy();
    expect(await readFloats(gpu, given)).toEqual(parameters);
    await expect(adapted(every, { ...given, size: 64 })).rejects.toThrow(/16 values/);
    gpu.destroyBuffer(given.buffer);
    expect(gpu.uncapturedError()).toBeNull();
  });

  it('merged into the weights, computes the same', async () => {
    const values = someValues(every);
    const parameters = randomParameters(config);
    const trainer = await adapted(every, parameters);
    const before = await logitsOf(trainer.model, tokens);
    trainer.write('adapters', values);
    const apart = await logitsOf(trainer.model, tokens);
    trainer.destroy();
    const merged = mergeAdapters({ config, parameters }, every, values);
    const together = await withModel(await testGpu(), 'merged', merged, SHAPE, (inference) =>
      inference.logits(tokens, 0, ROWS),
    );
    const largest = (a: Float32Array, b: Float32Array) =>
      a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]!)), 0);
    // The same terms summed in another order in f32: 9e-7 was seen, of logits of up to 1.6.
    expect(largest(apart, together)).toBeLessThan(1e-5);
    expect(largest(apart, before)).toBeGreaterThan(1e-1);
    expect(() => mergeAdapters({ config, parameters }, { ...every, rank: 4 }, values)).toThrow(/values/);
  });

  it('goes on with the same bits, dropout included, in a fresh trainer that is given its state', async () => {
    await expectSameAfterRestore(
      () => adapted(every),
      () => adapted({ ...every, seed: 99 }),
      (trainer, step) => trainer.step(batch, { ...inputs, step }),
    );
    const trainer = await adapted(every);
    expect(trainer.state().map(({ name }) => name)).toEqual([
      'adapters',
      'adapters.firstMoment',
      'adapters.secondMoment',
    ]);
    trainer.destroy();
  });

  it('holds what it is said to hold, the frozen weights only where they are its own', async () => {
    const gpu = await testGpu();
    for (const lora of [every, { ...every, dropout: 0, rank: 1, projections: ['v'] as const }]) {
      const before = gpu.heldBytes();
      const trainer = await adapted(lora);
      // Each dispatch has its place in the program's buffer of uniforms.
      const uniforms = trainer.dispatches * gpu.device.limits.minUniformBufferOffsetAlignment;
      const held = gpu.heldBytes() - before - uniforms;
      expect(held).toBe(trainerBytes(config, SHAPE, { adapters: lora }));
      trainer.destroy();
      expect(gpu.heldBytes()).toBe(before);

      const given = uploadStorage(gpu, 'given', randomParameters(config));
      const lent = await adapted(lora, given);
      const weights = parameterLayout(config).total * 4;
      expect(gpu.heldBytes() - before - uniforms).toBe(held);
      lent.destroy();
      expect(gpu.heldBytes() - before).toBe(weights);
      gpu.destroyBuffer(given.buffer);
    }
    const all = trainerBytes(config, SHAPE);
    expect(trainerBytes(config, SHAPE, { adapters: { ...every, rank: 1, projections: ['v'] } })).toBeLessThan(
      all,
    );
  });

  it('computes no gradient of what is frozen, and draws nothing without dropout', async () => {
    const trainer = await adapted({ ...every, dropout: 0, projections: ['q', 'down'] });
    const labels = trainer.program.dispatches.map(({ label }) => label);
    const gradients = labels.filter(
      (label) => / gradient$/.test(label) && !/norm|attention|swiglu/.test(label),
    );
    const wanted = (l: number) => [
      `layer ${l} down input gradient`,
      ...['', ' hidden', ' B', ' A', ' input'].map((part) => `layer ${l} down adapter${part} gradient`),
      `layer ${l} gate-up input gradient`,
      // Nothing is trained before the first product.
      ...(l > 0 ? [`layer ${l} qkv input gradient`] : []),
      ...['', ' hidden', ' B', ' A'].map((part) => `layer ${l} q adapter${part} gradient`),
      ...(l > 0 ? [`layer ${l} q adapter input gradient`] : []),
    ];
    expect(gradients).toEqual(['head input gradient', ...wanted(1), ...wanted(0)]);
    expect(labels.filter((label) => label.includes('dropout'))).toEqual([]);
    trainer.destroy();
  });

  it('gives the same gradients with k split, as a GPU does for many rows, and without', async () => {
    const shape = { batch: 20, context: 32 };
    const many = Uint32Array.from(randomValues(640, 7), (v) => Math.floor((v + 1) * 30));
    const gradientsBy = async (profile: KernelProfile) => {
      const trainer = await adapted(every, randomParameters(config), shape, profile);
      trainer.write('adapters', someValues(every));
      await trainer.step(
        { tokens: many, domains: new Uint32Array(20) },
        { ...inputs, step: 0, learningRate: 0 },
      );
      const values = await readFloats(await testGpu(), trainer.inspect().gradients);
      const sums = trainer.program.dispatches.filter(({ label }) => /weight gradient sums$/.test(label));
      trainer.destroy();
      return { values, sums: sums.length };
    };
    const [gpu, software] = [await gradientsBy('gpu'), await gradientsBy('software')];
    // Fourteen matrices a layer, four a dispatch.
    expect([gpu.sums, software.sums]).toEqual([4 * config.numHiddenLayers, 0]);
    const largest = software.values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(largest).toBeGreaterThan(1e-3);
    // Sums over 640 rows in f32 in another order, of terms that cancel (src/llama/backward.test.ts).
    expectClose(gpu.values, software.values, { atol: 2e-5 * largest, rtol: 0 });
  });

  it('refuses adapters of nothing', () => {
    expect(() => adapterLayout(config, { rank: 4, projections: [] })).toThrow(/projection/);
    expect(() => adapterLayout(config, { rank: 0, projections: ['q'] })).toThrow(/rank 0/);
  });
});
