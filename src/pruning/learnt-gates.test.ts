import { describe, expect, it } from 'vitest';
import { readFloats, sliceElements, writeElements } from '../gpu/buffers';
import { expectClose, randomValues, testGpu } from '../kernels/testing';
import { setSquaresReference } from '../kernels/set-squares.reference';
import { adapterLayout, type LoraOptions } from '../llama/adapters';
import { GATE_SETS, gateLayout } from '../llama/gates';
import { parameterLayout } from '../llama/parameters';
import { randomParameters, TINY } from '../llama/testing';
import { expectSameAfterRestore, plainStepInputs as inputs } from '../training/testing';
import { createTrainer } from '../training/trainer';
import { learntGates, readLogAlpha } from './learnt-gates';

const config = TINY;

describe('learnt gates', () => {
  const pruning = {
    ...inputs,
    gateLearningRate: 0.3,
    multiplierLearningRate: 0.2,
    activeSets: 0b1111,
    targetSparsity: [0.2, 0.3, 0.25, 0.4] as const,
  };
  const shape = { batch: 2, context: 9 };
  const batch = {
    tokens: Uint32Array.from(randomValues(18, 6), (v) => Math.floor((v + 1) * 30)),
    domains: new Uint32Array([0, 1]),
  };
  const gatesAtHalf = learntGates(config, { logAlpha: 0.2, quadraticMultiplier: 10 });

  it('have the same gradients over frozen weights whose adapters are still zero', async () => {
    const gpu = await testGpu();
    const lora: LoraOptions = { rank: 3, alpha: 3, dropout: 0, projections: ['q', 'down'], seed: 1 };
    const gradientsWith = async (adapters: LoraOptions | null, before: number) => {
      const trainer = await createTrainer(gpu, {
        label: 'test',
        config,
        parameters: randomParameters(config),
        shape,
        extension: gatesAtHalf,
        adapters,
      });
      // Without clipping, whose factor depends on the weights' gradients: the multipliers move by it.
      const { meanLoss, constraint } = await trainer.step(batch, { ...pruning, step: 3, clipNorm: 0 });
      const tail = sliceElements(trainer.inspect().gradients, before, gateLayout(config).total + 8);
      const gradients = await readFloats(gpu, tail);
      trainer.destroy();
      return { meanLoss, constraint, gradients };
    };
    const plain = await gradientsWith(null, parameterLayout(config).total);
    const adapted = await gradientsWith(lora, adapterLayout(config, lora).total);
    expect(adapted.meanLoss).toBe(plain.meanLoss);
    expect(adapted.constraint).toEqual(plain.constraint);
    expect(plain.gradients.some((v) => v !== 0)).toBe(true);
    // What is added is exactly zero.
    expectClose(adapted.gradients, plain.gradients, { atol: 0, rtol: 0 });
  });

  it('has the gradient of loss + Lagrangian through gates and multipliers, at fixed noise', async () => {
    const gpu = await testGpu();
    const trainer = await createTrainer(gpu, {
      label: 'test',
      config,
      parameters: randomParameters(config),
      shape,
      extension: gatesAtHalf,
    });
    const { parameters, gradients, gates } = trainer.inspect();
    const layout = gateLayout(config);
    const tail = parameterLayout(config).total;
    // Rates of 0: a step measures and changes nothing, so the same step can be measured again.
    const still = { ...pruning, step: 3, learningRate: 0, gateLearningRate: 0, multiplierLearningRate: 0 };
    const start = await readFloats(gpu, sliceElements(parameters, tail, layout.total + 8));
    const objective = async (at: number, moved: number) => {
      const values = start.slice();
      values[at] = start[at]! + moved;
      writeElements(gpu, parameters, values, tail);
      const { meanLoss, constraint } = await trainer.step(batch, still);
      const z = (await readFloats(gpu, gates))[at]!;
      return { value: meanLoss + constraint!.lagrangian, z };
    };
    await objective(0, 0);
    const analytic = await readFloats(gpu, sliceElements(gradients, tail, layout.total + 8));
    const h = 0.02;
    const central = async (at: number) => {
      const above = await objective(at, h);
      const below = await objective(at, -h);
      const inside = above.z > 0 && above.z < 1 && below.z > 0 && below.z < 1;
      return { slope: (above.value - below.value) / (2 * h), inside };
    };
    for (const set of GATE_SETS) {
      const { offset, rows, length } = layout[set];
      let checked = 0;
      for (let i = 0; i < rows * length && checked < 4; i++) {
        const { slope, inside } = await central(offset + i);
        // A sample at 0 or 1 stays there: its kink is not what a difference should straddle.
        if (!inside) continue;
        checked++;
        // f32 losses near 4 have steps of 5e-7, over 2h a slope of 1e-5; h² of curvature is about as much again.
        expect(Math.abs(slope - analytic[offset + i]!)).toBeLessThan(1e-4 + 0.02 * Math.abs(slope));
      }
      expect(checked).toBeGreaterThan(0);
    }
    for (let k = 0; k < 8; k++) {
      const { slope } = await central(layout.total + k);
      // The sign is flipped: a minimiser then ascends in the multipliers.
      expect(Math.abs(slope + analytic[layout.total + k]!)).toBeLessThan(1e-4 + 0.02 * Math.abs(slope));
    }
    trainer.destroy();
  });

  it('gives the same bits twice, and other ones for another seed', async () => {
    const gpu = await testGpu();
    const run = async (seed: number) => {
      const trainer = await createTrainer(gpu, {
        label: 'test',
        config,
        parameters: randomParameters(config),
        shape,
        extension: gatesAtHalf,
      });
      const steps = [];
      for (let step = 0; step < 4; step++) steps.push(await trainer.step(batch, { ...pruning, seed, step }));
      const end = { parameters: await trainer.read('weights'), logAlpha: await readLogAlpha(trainer) };
      trainer.destroy();
      return { steps, ...end };
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect((await run(8)).logAlpha).not.toEqual(first.logAlpha);
  });

  it('keeps two steps that were submitted together apart, and reads gates behind the step before', async () => {
    const gpu = await testGpu();
    const make = () =>
      createTrainer(gpu, {
        label: 'test',
        config,
        parameters: randomParameters(config),
        shape,
        extension: gatesAtHalf,
      });
    const apart = await make();
    const first = await apart.step(batch, { ...pruning, step: 0 });
    const afterFirst = await readLogAlpha(apart);
    const second = await apart.step(batch, { ...pruning, step: 1 });
    apart.destroy();
    const together = await make();
    const results = Promise.all([
      together.step(batch, { ...pruning, step: 0 }),
      readLogAlpha(together),
      together.step(batch, { ...pruning, step: 1 }),
    ]);
    expect(await results).toEqual([first, afterFirst, second]);
    together.destroy();
  });

  it('go on with the same bits in a fresh trainer that is given its state', async () => {
    const gpu = await testGpu();
    const make = (logAlpha: number) =>
      createTrainer(gpu, {
        label: 'test',
        config,
        parameters: randomParameters(config),
        shape,
        extension: learntGates(config, { logAlpha, quadraticMultiplier: 10 }),
      });
    await expectSameAfterRestore(
      () => make(0.2),
      () => make(3),
      (trainer, step) => trainer.step(batch, { ...pruning, step }),
    );
  });

  it('move by the ratio of their gradients where they share their second moment', async () => {
    const gpu = await testGpu();
    const layout = gateLayout(config);
    const make = (sharedMoments: boolean) =>
      createTrainer(gpu, {
        label: 'test',
        config,
        parameters: randomParameters(config),
        shape,
        extension: learntGates(config, { logAlpha: 0.2, quadraticMultiplier: 10, sharedMoments }),
      });
    const [apart, shared] = [await make(false), await make(true)];
    expect(shared.dispatches).toBe(apart.dispatches + 1);
    // A gate that is pinned by hand does not count in its set's mean.
    const pinned = 5;
    const start = new Float32Array(layout.total).fill(0.2);
    start[pinned] = 64;
    for (const trainer of [apart, shared]) {
      trainer.write('logAlpha', start);
      await trainer.step(batch, { ...pruning, step: 0, clipNorm: 0 });
    }
    const { gradients } = shared.inspect();
    const tail = sliceElements(gradients, parameterLayout(config).total, layout.total);
    const g = await readFloats(gpu, tail);
    const squares = setSquaresReference(start, g, layout);
    const moments = await shared.read('logAlpha.secondMoment');
    // 1 − β2 has lost four bits in f32.
    expectClose(
      moments,
      squares.map((square) => 0.05 * square),
      { atol: 1e-14, rtol: 5e-6 },
    );
    // The first step of Adam: rate · g/√(mean g²), where each gate alone goes by the rate itself.
    const moved = (await readLogAlpha(shared)).map((value, i) => start[i]! - value);
    const expected = [...g].map((value, i) =>
      i === pinned ? 0 : (pruning.gateLearningRate * value) / Math.sqrt(squares[i]!),
    );
    // log α near 0.2 and up to 1 away: f32 there, twice.
    expectClose(moved, expected, { atol: 1e-6, rtol: 1e-5 });
    const alone = (await readLogAlpha(apart)).map((value, i) => Math.abs(start[i]! - value));
    alone.forEach((distance, i) => expect(distance).toBeCloseTo(i === pinned ? 0 : 0.3, 3));
    apart.destroy();
    shared.destroy();
  });

  it('that share it go on with the same bits in a fresh trainer that is given its state', async () => {
    const gpu = await testGpu();
    const make = (logAlpha: number) =>
      createTrainer(gpu, {
        label: 'test',
        config,
        parameters: randomParameters(config),
        shape,
        extension: learntGates(config, { logAlpha, quadraticMultiplier: 10, sharedMoments: true }),
      });
    await expectSameAfterRestore(
      () => make(0.2),
      () => make(3),
      (trainer, step) => trainer.step(batch, { ...pruning, step }),
    );
  });

  it('gives back every byte', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const trainer = await createTrainer(gpu, {
      label: 'test',
      config,
      parameters: randomParameters(config),
      shape,
      extension: gatesAtHalf,
    });
    expect(gpu.heldBytes()).toBeGreaterThan(before);
    trainer.destroy();
    expect(gpu.heldBytes()).toBe(before);
  });
});
