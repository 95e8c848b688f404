import { describe, expect, test } from 'vitest';
import { globalNorm, GLOBAL_NORM_SCRATCH_ELEMENTS, GRADIENT_STATE_ELEMENTS } from './global-norm';
import { globalNormReference } from './global-norm.reference';
import {
  download,
  expectClose,
  randomValues,
  runOnce,
  stepInputs,
  upload,
  uploadStep,
  zeros,
} from './testing';

async function stateOf(gradient: ArrayLike<number>, clipNorm: number): Promise<number[]> {
  const [slice, scratch, state, step] = [
    await upload(gradient),
    await zeros(GLOBAL_NORM_SCRATCH_ELEMENTS),
    await zeros(GRADIENT_STATE_ELEMENTS),
    await uploadStep(stepInputs({ clipNorm })),
  ];
  await runOnce((r) => globalNorm(r, { gradient: slice, scratch, state, step, label: 'test' }));
  return [...(await download(state))];
}

describe('global_norm', () => {
  test.each([
    [4, 1],
    [1000, 1],
    [4097, 0],
    [300_000, 1e6],
    [1_500_007, 2],
  ])('%i gradients, clip %f', async (count, clip) => {
    const gradient = randomValues(count, count);
    const { norm, scale, flag } = globalNormReference(gradient, clip);
    // All terms are positive: (n / 16384 + 64 + 8) roundings of 2⁻²⁴ at most, halved by the root.
    expectClose(await stateOf(gradient, clip), [norm, scale, flag, 0], { atol: 0, rtol: 1.1e-5 });
  });

  test.each([NaN, Infinity, -Infinity])('a single %f is seen wherever it is', async (bad) => {
    for (const at of [0, 4095, 70_000, 99_999]) {
      const gradient = randomValues(100_000, 1);
      gradient[at] = bad;
      expect(await stateOf(gradient, 1)).toEqual([0, 0, 1, 0]);
    }
  });

  test('finite gradients whose squares overflow are flagged too', async () => {
    expect(await stateOf([1e30, 0, 0, 0], 1)).toEqual([0, 0, 1, 0]);
    // Each thread's sum is finite here, their total is not.
    expect(await stateOf(new Float32Array(20_000).fill(1.6e17), 1)).toEqual([0, 0, 1, 0]);
  });

  test('no gradient at all is healthy', async () => {
    expect(await stateOf(new Float32Array(500), 1)).toEqual([0, 1, 0, 0]);
  });
});
