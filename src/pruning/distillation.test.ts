import { expect, it } from 'vitest';
import { readFloats, sliceElements } from '../gpu/buffers';
import { expectClose, testGpu } from '../kernels/testing';
import { gateLayout } from '../llama/gates';
import { uploadModel } from '../llama/inference';
import { unpackParameters } from '../llama/parameters';
import { flatGates, readDistillation } from '../training/distillation.testing';
import { plainStepInputs } from '../training/testing';
import { createTrainer } from '../training/trainer';
import { learntGates } from './learnt-gates';

it('a step with sampled gates and a teacher has the gradients of the reference', async () => {
  const { student, teacher, tokens, joint } = readDistillation();
  const gpu = await testGpu();
  const view = uploadModel(gpu, 'teacher', teacher);
  const trainer = await createTrainer(gpu, {
    label: 'student',
    ...student,
    shape: { batch: 2, context: 17 },
    extension: learntGates(student.config, {
      logAlpha: joint.log_alpha_init,
      quadraticMultiplier: joint.lambda2_init,
    }),
    teacher: view,
  });
  const metrics = await trainer.step(
    { tokens: Uint32Array.from(tokens.flat()), domains: new Uint32Array(2) },
    {
      ...plainStepInputs,
      step: 0,
      seed: joint.seed,
      activeSets: 0b1111,
      targetSparsity: joint.target_sparsity,
      distillationWeight: joint.weight,
      distillationTemperature: joint.temperature,
    },
  );
  // Tolerances of golden.test.ts.
  expect(Math.abs(metrics.meanLoss - joint.loss)).toBeLessThan(4e-6);
  expect(Math.abs(metrics.divergence! - joint.divergence)).toBeLessThan(4e-6);
  expect(Math.abs(metrics.constraint!.lagrangian - joint.lagrangian)).toBeLessThan(4e-6);
  const gradients = await readFloats(gpu, trainer.inspect().gradients);
  for (const [tensor, gradient] of unpackParameters(student.layout, gradients)) {
    expectClose(gradient, joint.weight_gradients[tensor]!, { atol: 4e-6, rtol: 1e-5 });
  }
  const gates = await readFloats(
    gpu,
    sliceElements(trainer.inspect().gates, 0, gateLayout(student.config).total),
  );
  expect(new Set([gates.includes(0), gates.some((z) => z > 0 && z < 1)])).toEqual(new Set([true]));
  const wanted = flatGates(joint.log_alpha_gradients);
  expect(wanted).toHaveLength(gates.length);
  // A gate's slope z → log α is 1.2/β · s(1 − s), at most 0.45.
  expectClose(gradients.subarray(student.layout.total), wanted, { atol: 4e-6, rtol: 1e-5 });
  trainer.destroy();
  view.destroy();
  expect(gpu.uncapturedError()).toBeNull();
});
