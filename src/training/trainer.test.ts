import { describe, expect, it } from 'vitest';
import type { Slice } from '../gpu/buffers';
import { randomValues, testGpu } from '../kernels/testing';
import { parameterLayout } from '../llama/parameters';
import { randomParameters, TINY } from '../llama/testing';
import { expectSameAfterRestore, plainStepInputs as inputs } from './testing';
import { createTrainer } from './trainer';

const config = TINY;

describe('trainer', () => {
  it('overfits one batch: the whole step learns', async () => {
    const gpu = await testGpu();
    const shape = { batch: 4, context: 16 };
    const trainer = await createTrainer(gpu, {
      label: 'test',
      config,
      parameters: randomParameters(config),
      shape,
      extension: null,
    });
    const tokens = Uint32Array.from(randomValues(64, 5), (v) => Math.floor((v + 1) * 30));
    const batch = { tokens, domains: new Uint32Array([0, 1, 1, 2]) };
    const losses: number[] = [];
    for (let s = 0; s < 60; s++) losses.push((await trainer.step(batch, { ...inputs, step: s })).meanLoss);
    trainer.destroy();
    expect(gpu.uncapturedError()).toBeNull();
    // A uniform guess costs ln 61 = 4.1 nats; sixty random tokens are soon known by heart.
    expect(losses[0]!).toBeGreaterThan(3.5);
    expect(losses.at(-1)!).toBeLessThan(0.1);
  });

  const shape = { batch: 2, context: 9 };
  const batch = {
    tokens: Uint32Array.from(randomValues(18, 6), (v) => Math.floor((v + 1) * 30)),
    domains: new Uint32Array([0, 1]),
  };

  it('goes on with the same bits in a fresh trainer that is given its state', async () => {
    const gpu = await testGpu();
    const make = (parameters: Float32Array) =>
      createTrainer(gpu, { label: 'test', config, parameters, shape, extension: null });
    await expectSameAfterRestore(
      () => make(randomParameters(config)),
      () => make(randomParameters(config).fill(0)),
      (trainer, step) => trainer.step(batch, { ...inputs, step }),
    );
  });

  it('starts from weights that are on the GPU', async () => {
    const gpu = await testGpu();
    const make = (parameters: Float32Array | Slice) =>
      createTrainer(gpu, { label: 'test', config, parameters, shape, extension: null });
    const first = await make(randomParameters(config));
    await first.step(batch, { ...inputs, step: 0 });
    const weights = await first.read('weights');
    const second = await make(first.model.parameters);
    first.destroy();
    expect(await second.read('weights')).toEqual(weights);
    second.destroy();
    await expect(make({ ...second.model.parameters, size: 64 })).rejects.toThrow(/16 values/);
  });

  it('names what its state has when asked for something else', async () => {
    const gpu = await testGpu();
    const parameters = randomParameters(config);
    const trainer = await createTrainer(gpu, { label: 'test', config, parameters, shape, extension: null });
    await expect(trainer.read('logAlpha')).rejects.toThrow(/no tensor logAlpha, only weights, /);
    expect(() => trainer.write('weights', new Float32Array(3))).toThrow(/not 3/);
    trainer.destroy();
  });

  it('skips a step whose gradient is not finite, and says so', async () => {
    const gpu = await testGpu();
    const broken = randomParameters(config);
    broken[parameterLayout(config).layers[0]!.down.offset] = Number.NaN;
    const trainer = await createTrainer(gpu, {
      label: 'test',
      config,
      parameters: broken,
      shape,
      extension: null,
    });
    const { nonFinite } = await trainer.step(batch, { ...inputs, step: 0 });
    expect(nonFinite).toBe(true);
    expect(await trainer.read('weights')).toEqual(broken);
    trainer.destroy();
  });

  it('gives back every byte', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const trainer = await createTrainer(gpu, {
      label: 'test',
      config,
      parameters: randomParameters(config),
      shape,
      extension: null,
    });
    expect(gpu.heldBytes()).toBeGreaterThan(before);
    trainer.destroy();
    expect(gpu.heldBytes()).toBe(before);
  });
});
