import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../formats/hugging-face';
import { createStorage, readFloats, sliceElements, writeElements } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { recordProgram, submitPrograms } from '../gpu/program';
import { groupByToken } from '../kernels/embedding';
import { clampLogAlpha } from '../kernels/hard-concrete-distribution';
import { type StepInputs } from '../kernels/step-inputs';
import { expectClose, testGpu } from '../kernels/testing';
import { recordBackward } from '../llama/backward';
import type { LlamaConfig } from '../llama/config';
import { recordForward, recordLoss } from '../llama/forward';
import { GATE_SETS, type GateSet, gateLayout } from '../llama/gates';
import { createInference, nextTokens, openGates, uploadModel, writeRopeTable } from '../llama/inference';
import { packParameters, parameterLayout, unpackParameters } from '../llama/parameters';
import { allocateTraining } from '../llama/workspace';
import { createTrainer } from '../training/trainer';
import { learntGates, readLogAlpha } from './learnt-gates';

/**
 * Forward, backward and joint steps against numbers of an independent float64 PyTorch model (scripts/reference/golden.py).
 * Tolerances come from what float32 costs the reference itself, named in scripts/reference/README.md, with
 * room for another order of sums: logits 5e-6 → 4e-5, gradients 4e-7 → 4e-6.
 */
type Nested = number | Nested[];
type BySet<T> = Record<GateSet, T>;

interface Case {
  config: object;
  weights: Record<string, { shape: number[]; data: number[] }>;
  tokens: number[][];
  gates: BySet<Nested>;
  plain: Measured;
  gated: Measured & { gate_gradients: BySet<Nested> };
}

interface Measured {
  loss: number;
  logits: Nested;
  weight_gradients: Record<string, number[]>;
}

interface TraceStep {
  loss: number;
  lagrangian: number;
  expected_sparsity: BySet<number>;
  gradient_norm: number;
  after: { lambda1: BySet<number>; lambda2: BySet<number>; log_alpha: BySet<Nested> };
}

interface Golden {
  models: Record<string, Case>;
  training: {
    seed: number;
    settings: { target_shape: BySet<number>; sparsity_warmup_share: number; lambda2_init: number };
    inputs: { tokens: number[][] }[];
    traces: {
      weight_decay: number;
      log_alpha_init: number;
      steps: TraceStep[];
      final_weights: Record<string, number[]>;
    }[];
  };
  drift: { tokens: number[][][]; loss: number[]; expected_sparsity: BySet<number>[] };
}

const golden = JSON.parse(readFileSync('scripts/reference/golden.json', 'utf8')) as Golden;

const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat));
const flatGates = (gates: BySet<Nested>) => GATE_SETS.flatMap((set) => flat(gates[set]));

function opened({ config: json, weights }: Case) {
  const config = parseLlamaConfig({ model_type: 'llama', ...json });
  const layout = parameterLayout(config);
  const tensors = new Map(Object.entries(weights).map(([n, { data }]) => [n, Float32Array.from(data)]));
  return { config, layout, parameters: packParameters(layout, tensors) };
}

/** Loss, gradients of weights and gates of one forward and backward at given gates. */
async function differentiate(
  config: LlamaConfig,
  parameters: Float32Array,
  tokens: Uint32Array,
  gates: Float32Array,
  profile: KernelProfile,
) {
  const gpu = await testGpu(profile);
  const shape = { batch: 2, context: tokens.length / 2 };
  const model = uploadModel(gpu, 'golden', { config, parameters });
  const at = allocateTraining(gpu, 'golden', config, shape);
  const gradients = createStorage(gpu, 'golden gradients', model.layout.total);
  const gateGradients = createStorage(gpu, 'golden gate gradients', gates.length);
  writeRopeTable(gpu, at.rope, config, shape.context);
  writeElements(gpu, at.gates, gates);
  writeElements(gpu, at.tokens, tokens);
  writeElements(gpu, at.targets, nextTokens(tokens, shape.context));
  const { positions, starts } = groupByToken(tokens, config.vocabSize);
  writeElements(gpu, at.positions, positions);
  writeElements(gpu, at.starts, starts);
  const program = await recordProgram(gpu, 'golden', (r) => {
    recordForward(r, model, at, shape);
    const normed = at.normed[2 * config.numHiddenLayers]!;
    recordLoss(r, model, { ...at, normed }, shape, {
      normed: at.normedGradient,
      parameters: gradients,
      productScratch: at.productScratch.single,
    });
    recordBackward(r, model, gradients, at, shape, gateGradients);
  });
  submitPrograms(gpu, [program]);
  const losses = await readFloats(gpu, at.losses);
  const result = {
    loss: losses.reduce((a, b) => a + b, 0) / (shape.batch * (shape.context - 1)),
    weights: unpackParameters(model.layout, await readFloats(gpu, gradients)),
    gates: await readFloats(gpu, sliceElements(gateGradients, 0, gates.length)),
  };
  for (const part of [program, at, model]) part.destroy();
  gpu.destroyBuffer(gradients.buffer);
  gpu.destroyBuffer(gateGradients.buffer);
  expect(gpu.uncapturedError()).toBeNull();
  return result;
}

describe('golden file', () => {
  for (const [name, model] of Object.entries(golden.models)) {
    // The kernels of a GPU and those of a software adapter, on whichever adapter the tests have.
    for (const [kind, profile] of [
      ['plain', 'software'],
      ['plain', 'gpu'],
      ['gated', 'software'],
      ['gated', 'gpu'],
    ] as const) {
      it(`model ${name}, ${kind}, ${profile} kernels: logits, loss, and every gradient`, async () => {
        const gpu = await testGpu(profile);
        const { config, parameters } = opened(model);
        const expected = model[kind];
        const tokens = Uint32Array.from(model.tokens.flat());
        const gates = kind === 'gated' ? Float32Array.from(flatGates(model.gates)) : openGates(config);

        const view = uploadModel(gpu, 'golden', { config, parameters });
        const inference = await createInference(gpu, 'golden', view, { batch: 2, context: 17 });
        inference.setGates(gates);
        expectClose(await inference.logits(tokens, 0, 34), flat(expected.logits), { atol: 4e-5, rtol: 0 });
        inference.destroy();
        view.destroy();

        const measured = await differentiate(config, parameters, tokens, gates, profile);
        expect(Math.abs(measured.loss - expected.loss)).toBeLessThan(4e-6);
        expect([...measured.weights.keys()].sort()).toEqual(Object.keys(expected.weight_gradients).sort());
        for (const [tensor, gradient] of measured.weights) {
          expectClose(gradient, expected.weight_gradients[tensor]!, { atol: 4e-6, rtol: 1e-5 });
        }
        if (kind === 'gated') {
          // A closed gate's gradient is never used (its sample has no slope) and closed heads are skipped.
          const wanted = flatGates(model.gated.gate_gradients);
          const open = wanted.map((value, i) => (gates[i] === 0 ? 0 : value));
          const got = measured.gates.map((value, i) => (gates[i] === 0 ? 0 : value));
          expectClose(got, open, { atol: 4e-6, rtol: 1e-5 });
        }
      });
    }
  }

  const { training, drift } = golden;
  const { config, layout, parameters } = opened(golden.models['a']!);
  const rows: BySet<number> = { hidden: 24, head: 3, intermediate: 40, layer: 2 };
  const inputsAt = (step: number, steps: number, weightDecay: number): Omit<StepInputs, 'ringSlot'> => {
    const share = Math.min(1, step / (training.settings.sparsity_warmup_share * steps));
    const target = (set: GateSet) => share * (1 - training.settings.target_shape[set] / rows[set]);
    return {
      step,
      seed: training.seed,
      learningRate: 1e-3,
      gateLearningRate: 0.5,
      multiplierLearningRate: 0.2,
      weightDecay,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      clipNorm: 1,
      temperature: 2 / 3,
      activeSets: 0b1111,
      targetSparsity: [target('hidden'), target('head'), target('intermediate'), target('layer')],
    };
  };
  const trainerFrom = async (logAlpha: number) =>
    createTrainer(await testGpu(), {
      label: 'golden',
      config,
      parameters,
      shape: { batch: 2, context: 17 },
      extension: learntGates(config, { logAlpha, quadraticMultiplier: training.settings.lambda2_init }),
    });
  const batchOf = (tokens: number[][]) => ({
    tokens: Uint32Array.from(tokens.flat()),
    domains: new Uint32Array(2),
  });

  for (const trace of training.traces) {
    it(`five joint steps, weight decay ${trace.weight_decay}, log α from ${trace.log_alpha_init}`, async () => {
      const trainer = await trainerFrom(trace.log_alpha_init);
      for (const [s, expected] of trace.steps.entries()) {
        const metrics = await trainer.step(
          batchOf(training.inputs[s]!.tokens),
          inputsAt(s, 5, trace.weight_decay),
        );
        const near = (actual: number, wanted: number, relative: number) =>
          expect(Math.abs(actual - wanted)).toBeLessThan(1e-5 + relative * Math.abs(wanted));
        // Five steps of Adam cost the reference in float32 3e-6 of loss and 1.3e-4 of log α.
        near(metrics.meanLoss, expected.loss, 1e-5);
        near(metrics.constraint!.lagrangian, expected.lagrangian, 1e-4);
        near(metrics.gradientNorm, expected.gradient_norm, 1e-4);
        for (const [k, set] of GATE_SETS.entries()) {
          near(metrics.constraint!.expectedSparsity[k]!, expected.expected_sparsity[set], 1e-4);
          near(metrics.constraint!.lambda1[k]!, expected.after.lambda1[set], 1e-4);
          near(metrics.constraint!.lambda2[k]!, expected.after.lambda2[set], 1e-4);
        }
        const logAlpha = flatGates(expected.after.log_alpha).map(clampLogAlpha);
        expectClose(await readLogAlpha(trainer), logAlpha, {
          atol: 1e-3,
          rtol: 0,
        });
      }
      const final = unpackParameters(layout, await trainer.read('weights'));
      for (const [tensor, values] of final) {
        // Adam divides a gradient that is almost zero by its own size: single entries are off by 6e-5.
        expectClose(values, trace.final_weights[tensor]!, { atol: 2e-4, rtol: 0 });
      }
      trainer.destroy();
    });
  }

  it('fifty joint steps drift by less than one per cent', async () => {
    const trainer = await trainerFrom(3);
    for (const [s, tokens] of drift.tokens.entries()) {
      const metrics = await trainer.step(batchOf(tokens), inputsAt(s, drift.tokens.length, 0));
      expect(Math.abs(metrics.meanLoss / drift.loss[s]! - 1)).toBeLessThan(0.01);
      for (const [k, set] of GATE_SETS.entries()) {
        const { expectedSparsity } = metrics.constraint!;
        expect(Math.abs(expectedSparsity[k]! - drift.expected_sparsity[s]![set])).toBeLessThan(0.01);
      }
    }
    trainer.destroy();
  });

  it('covers every gate of the layout', () => {
    expect(flatGates(golden.models['a']!.gates)).toHaveLength(gateLayout(config).total);
  });
});
