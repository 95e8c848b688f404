import { describe, expect, it } from 'vitest';
import { readFloats, writeElements } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import type { StepInputs } from '../kernels/step-inputs';
import { expectClose, testGpu } from '../kernels/testing';
import type { ModelView } from '../llama/model';
import { uploadModel } from '../llama/inference';
import { parameterLayout, unpackParameters, type FlatModel } from '../llama/parameters';
import { randomParameters, TINY } from '../llama/testing';
import { flatGates, readDistillation } from './distillation.testing';
import { expectSameAfterRestore, plainStepInputs } from './testing';
import { createTrainer, trainerBytes } from './trainer';

/** Tolerances are those of src/pruning/golden.test.ts: what float32 costs the reference, times ten. */
const golden = readDistillation();
const shape = { batch: 2, context: 17 };
const batchOf = (tokens: number[][]) => ({
  tokens: Uint32Array.from(tokens.flat()),
  domains: new Uint32Array(2),
});

/** A rate of 0: a step measures and changes nothing. */
const still = { ...plainStepInputs, step: 0, learningRate: 0, clipNorm: 0 };

const withTeacher = async <T>(model: FlatModel, use: (teacher: ModelView) => Promise<T>) => {
  const teacher = uploadModel(await testGpu(), 'teacher', model);
  try {
    return await use(teacher);
  } finally {
    teacher.destroy();
  }
};

/** Metrics and gradient of one step on the reference's batch. */
async function measure(
  student: FlatModel,
  teacher: ModelView | null,
  inputs: Partial<StepInputs>,
  { profile, gates }: { profile?: KernelProfile; gates?: Float32Array } = {},
) {
  const gpu = await testGpu(profile);
  const trainer = await createTrainer(gpu, { label: 'student', ...student, shape, extension: null, teacher });
  const inspected = trainer.inspect();
  if (gates) writeElements(gpu, inspected.gates, gates);
  const metrics = await trainer.step(batchOf(golden.tokens), { ...still, ...inputs });
  const gradients = unpackParameters(
    parameterLayout(student.config),
    await readFloats(gpu, inspected.gradients),
  );
  trainer.destroy();
  expect(gpu.uncapturedError()).toBeNull();
  return { metrics, gradients };
}

const settingsOf = ({ weight, temperature }: { weight: number; temperature: number }) => ({
  distillationWeight: weight,
  distillationTemperature: temperature,
});

describe('distillation', () => {
  const { student, teacher } = golden;

  for (const profile of ['software', 'gpu'] as const) {
    for (const expected of [...golden.plain, golden.gated]) {
      const gated = expected === golden.gated;
      const { weight, temperature } = expected;
      it(`w ${weight}, τ ${temperature}, ${gated ? 'gated, ' : ''}${profile} kernels: loss, divergence and every gradient`, async () => {
        const { metrics, gradients } = await withTeacher(teacher, (view) =>
          measure(student, view, settingsOf(expected), {
            profile,
            ...(gated && { gates: Float32Array.from(flatGates(golden.gates)) }),
          }),
        );
        expect(Math.abs(metrics.meanLoss - expected.loss)).toBeLessThan(4e-6);
        expect(Math.abs(metrics.divergence! - expected.divergence)).toBeLessThan(4e-6);
        expect([...gradients.keys()].sort()).toEqual(Object.keys(expected.weight_gradients).sort());
        for (const [tensor, gradient] of gradients) {
          expectClose(gradient, expected.weight_gradients[tensor]!, { atol: 4e-6, rtol: 1e-5 });
        }
      });
    }
  }

  for (const trace of golden.training.traces) {
    it(`five steps, w ${trace.weight}, τ ${trace.temperature}, weight decay ${trace.weight_decay}`, async () => {
      const gpu = await testGpu();
      const final = await withTeacher(teacher, async (view) => {
        const trainer = await createTrainer(gpu, {
          label: 'student',
          ...student,
          shape,
          extension: null,
          teacher: view,
        });
        const before = await readFloats(gpu, view.parameters);
        for (const [step, expected] of trace.steps.entries()) {
          const metrics = await trainer.step(batchOf(golden.training.tokens[step]!), {
            ...plainStepInputs,
            ...settingsOf(trace),
            step,
            learningRate: golden.training.learning_rate,
            weightDecay: trace.weight_decay,
          });
          const near = (actual: number, wanted: number, relative: number) =>
            expect(Math.abs(actual - wanted)).toBeLessThan(1e-5 + relative * Math.abs(wanted));
          near(metrics.meanLoss, expected.loss, 1e-5);
          near(metrics.divergence!, expected.divergence, 1e-5);
          near(metrics.gradientNorm, expected.gradient_norm, 1e-4);
        }
        const weights = await trainer.read('weights');
        trainer.destroy();
        expect(await readFloats(gpu, view.parameters)).toEqual(before);
        return weights;
      });
      for (const [tensor, values] of unpackParameters(student.layout, final)) {
        // Adam divides a gradient that is almost zero by its own size.
        expectClose(values, trace.final_weights[tensor]!, { atol: 2e-4, rtol: 0 });
      }
    });
  }

  it('with weight 0 has the gradient of cross-entropy', async () => {
    const plain = await measure(student, null, {});
    const weightless = await withTeacher(teacher, (view) =>
      measure(student, view, { distillationTemperature: 3 }),
    );
    expect(plain.metrics.divergence).toBeNull();
    expect(weightless.metrics.divergence).toBeGreaterThan(0.1);
    expect(Math.abs(weightless.metrics.meanLoss - plain.metrics.meanLoss)).toBeLessThan(1e-6);
    for (const [tensor, gradient] of weightless.gradients) {
      // Both kernels round each probability at about 1e-6 of itself, over the mean's 32 rows.
      expectClose(gradient, plain.gradients.get(tensor)!, { atol: 4e-7, rtol: 4e-6 });
    }
  });

  it('from itself learns nothing at weight 1', async () => {
    const { metrics, gradients } = await withTeacher(student, (view) =>
      measure(student, view, { distillationWeight: 1, distillationTemperature: 2 }),
    );
    // Another kernel of a product may round the same logits differently, at 5e-6.
    expect(Math.abs(metrics.divergence!)).toBeLessThan(1e-6);
    expect(metrics.meanLoss).toBeGreaterThan(1);
    for (const gradient of gradients.values()) {
      expectClose(gradient, new Float32Array(gradient.length), { atol: 4e-6, rtol: 0 });
    }
  });
});

describe('a trainer with a teacher', () => {
  const { student, teacher } = golden;

  it('goes on with the same bits in a fresh trainer that is given its state', async () => {
    const gpu = await testGpu();
    await withTeacher(teacher, async (view) => {
      const make = (parameters: Float32Array) =>
        createTrainer(gpu, {
          label: 'student',
          config: student.config,
          parameters,
          shape,
          extension: null,
          teacher: view,
        });
      await expectSameAfterRestore(
        () => make(student.parameters),
        () => make(student.parameters.map(() => 0)),
        (trainer, step) =>
          trainer.step(batchOf(golden.tokens), { ...plainStepInputs, step, distillationWeight: 0.7 }),
      );
    });
  });

  it('holds what trainerBytes says besides its uniforms, gives it back, and is one submit a step', async () => {
    const gpu = await testGpu();
    await withTeacher(teacher, async (view) => {
      for (const of of [null, view]) {
        const before = gpu.heldBytes();
        const trainer = await createTrainer(gpu, {
          label: 'student',
          ...student,
          shape,
          extension: null,
          teacher: of,
        });
        const uniforms = trainer.dispatches * gpu.device.limits.minUniformBufferOffsetAlignment;
        const estimate = trainerBytes(student.config, shape, { teacher: of?.config ?? null });
        expect(gpu.heldBytes() - before).toBe(estimate + uniforms);
        const submits = gpu.counters.submits;
        await trainer.step(batchOf(golden.tokens), still);
        expect(gpu.counters.submits - submits).toBe(1);
        trainer.destroy();
        expect(gpu.heldBytes()).toBe(before);
      }
    });
  });

  it('refuses a teacher of another vocabulary and keeps nothing', async () => {
    const gpu = await testGpu();
    const config = { ...TINY, vocabSize: 67 };
    await withTeacher({ config, parameters: randomParameters(config) }, async (view) => {
      const before = gpu.heldBytes();
      await expect(
        createTrainer(gpu, { label: 'student', ...student, shape, extension: null, teacher: view }),
      ).rejects.toThrow('A teacher of 67 tokens cannot teach a model of 61: both need the same vocabulary.');
      expect(gpu.heldBytes()).toBe(before);
    });
  });
});
