import { expect } from 'vitest';
import {
  createStorage,
  readFloats,
  UNIFORM_USAGE,
  uploadStorage,
  wholeBuffer,
  type Slice,
} from '../gpu/buffers';
import { openGpu, type Gpu, type KernelProfile } from '../gpu/device';
import { nodeGpu } from '../gpu/node';
import { recordProgram, submitPrograms, type Recorder } from '../gpu/program';
import { packStepInputs, type StepInputs } from './step-inputs';

/**
 * What every kernel test needs: one Dawn device a file, buffers from arrays, one run, a comparison whose
 * tolerance is stated in terms of the sum of absolute terms (a rounding bound that does not depend on luck).
 */
let opened: Promise<Gpu> | null = null;

/** Both kinds of kernels, which are tested on whichever adapter there is. */
export const PROFILES: readonly KernelProfile[] = ['gpu', 'software'];

/** The device of this file; with a profile, programs recorded for it take that kind of kernels. */
export async function testGpu(profile?: KernelProfile): Promise<Gpu> {
  opened ??= nodeGpu().then((api) => openGpu(api));
  const gpu = await opened;
  return profile ? { ...gpu, profile } : gpu;
}

/** Records, runs once, and fails on any error that WebGPU reported. */
export async function runOnce(
  build: (recorder: Recorder) => void,
  profile: KernelProfile = 'gpu',
): Promise<void> {
  const gpu = await testGpu(profile);
  const program = await recordProgram(gpu, 'test', build);
  submitPrograms(gpu, [program]);
  await gpu.device.queue.onSubmittedWorkDone();
  program.destroy();
  expect(gpu.uncapturedError()).toBeNull();
}

export async function upload(values: ArrayLike<number>): Promise<Slice> {
  return uploadStorage(await testGpu(), 'test', Float32Array.from(values));
}

export async function uploadWords(values: ArrayLike<number>): Promise<Slice> {
  return uploadStorage(await testGpu(), 'test', Uint32Array.from(values));
}

/** Step inputs as a test wants them; what it does not name has a value that shows when it is mixed up. */
export function stepInputs(changed: Partial<StepInputs> = {}): StepInputs {
  return {
    step: 3,
    seed: 17,
    ringSlot: 0,
    learningRate: 2e-3,
    gateLearningRate: 0.5,
    multiplierLearningRate: 0.25,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    clipNorm: 1,
    temperature: 2 / 3,
    activeSets: 0b1111,
    targetSparsity: [0.1, 0.25, 0.375, 0.5],
    ...changed,
  };
}

/** The uniform slice that kernels take as `step`. */
export async function uploadStep(inputs: StepInputs): Promise<Slice> {
  const gpu = await testGpu();
  const words = packStepInputs(inputs);
  const buffer = gpu.createBuffer('test step', words.byteLength, UNIFORM_USAGE);
  gpu.device.queue.writeBuffer(buffer, 0, words as Uint32Array<ArrayBuffer>);
  return wholeBuffer(buffer);
}

export async function zeros(elements: number): Promise<Slice> {
  return createStorage(await testGpu(), 'test', elements);
}

export async function download(slice: Slice): Promise<Float32Array> {
  return readFloats(await testGpu(), slice);
}

/** Deterministic values in [−scale, scale) for tests (mulberry32). */
export function randomValues(count: number, seed: number, scale = 1): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    const unit = ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    // Rounded to f32, so that the reference and the kernel see the same inputs.
    return Math.fround((unit * 2 - 1) * scale);
  });
}

/**
 * |actual − expected| ≤ atol + rtol·magnitude for every element, where magnitude is Σ|terms| of the
 * element's sum (pass it when known) or |expected|.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol, rtol, magnitude }: { atol: number; rtol: number; magnitude?: ArrayLike<number> },
): void {
  expect(actual.length).toBeGreaterThanOrEqual(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const bound = atol + rtol * Math.abs(magnitude ? magnitude[i]! : expected[i]!);
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= bound)) {
      expect.fail(`element ${i}: ${actual[i]} is ${error} from ${expected[i]}, more than ${bound}`);
    }
  }
}

/** Central differences of a scalar function at every coordinate of `x`. */
export function numericalGradient(f: (x: Float64Array) => number, x: Float64Array, h = 1e-5): Float64Array {
  return x.map((value, i) => {
    const at = (v: number) => {
      const moved = x.slice();
      moved[i] = v;
      return f(moved);
    };
    return (at(value + h) - at(value - h)) / (2 * h);
  });
}
