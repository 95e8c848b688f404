import { describe, expect, test } from 'vitest';
import type { KernelProfile } from '../gpu/device';
import { crossEntropy, IGNORED_TARGET } from './cross-entropy';
import { distillation } from './distillation';
import { distillationReference } from './distillation.reference';
import {
  download,
  expectClose,
  numericalGradient,
  PROFILES,
  randomValues,
  runOnce,
  stepInputs,
  upload,
  uploadStep,
  uploadWords,
  zeros,
} from './testing';

interface Case {
  logits: ArrayLike<number>;
  teacher: ArrayLike<number>;
  targets: ArrayLike<number>;
  vocabulary: number;
  weight: number;
  temperature: number;
  gradientScale?: number;
  profile: KernelProfile;
}

async function run({ logits, teacher, targets, vocabulary, weight, temperature, ...rest }: Case) {
  const rows = targets.length;
  const slices = {
    logits: await upload(logits),
    teacherLogits: await upload(teacher),
    targets: await uploadWords(targets),
    losses: await upload(new Float32Array(rows).fill(9)),
    divergences: await upload(new Float32Array(rows).fill(9)),
    step: await uploadStep(stepInputs({ distillationWeight: weight, distillationTemperature: temperature })),
  };
  const { gradientScale, profile } = rest;
  const options = { ...slices, rows, vocabulary, gradientScale, label: 'test' };
  await runOnce((r) => distillation(r, options), profile);
  return {
    losses: (await download(slices.losses)).subarray(0, rows),
    divergences: (await download(slices.divergences)).subarray(0, rows),
    logits: await download(slices.logits),
    teacher: await download(slices.teacherLogits),
  };
}

function randomTargets(rows: number, vocabulary: number): Uint32Array {
  return Uint32Array.from(randomValues(rows, 77, 1), (v, r) =>
    r % 4 === 3 ? IGNORED_TARGET : Math.floor(((v + 1) / 2) * vocabulary),
  );
}

describe('distillation', () => {
  test.each([
    { rows: 1, vocabulary: 1, weight: 0.5, temperature: 2, profile: 'gpu' },
    { rows: 4, vocabulary: 7, weight: 0.7, temperature: 2, profile: 'gpu' },
    { rows: 9, vocabulary: 301, weight: 1, temperature: 1, profile: 'gpu' },
    { rows: 5, vocabulary: 257, weight: 0.25, temperature: 0.1, profile: 'gpu' },
    { rows: 64, vocabulary: 2048, weight: 0.7, temperature: 10, profile: 'gpu' },
    { rows: 1, vocabulary: 1, weight: 0.5, temperature: 2, profile: 'software' },
    { rows: 9, vocabulary: 301, weight: 1, temperature: 1, profile: 'software' },
    { rows: 5, vocabulary: 257, weight: 0.25, temperature: 0.1, profile: 'software' },
    { rows: 64, vocabulary: 2048, weight: 0.7, temperature: 2, profile: 'software' },
  ] as const)(
    '$rows rows of $vocabulary, w $weight, τ $temperature, $profile kernels',
    async ({ rows, vocabulary, weight, temperature, profile }) => {
      const logits = randomValues(rows * vocabulary, rows, 20);
      const teacher = randomValues(rows * vocabulary, rows + 100, 20);
      const targets = randomTargets(rows, vocabulary);
      const scale = Math.fround(1 / rows);
      const [w, tau] = [Math.fround(weight), Math.fround(temperature)];
      const given = { logits, teacher, targets, vocabulary, weight, temperature, profile };
      const expected = distillationReference(logits, teacher, targets, vocabulary, {
        weight: w,
        temperature: tau,
        scale,
      });
      // As a loss of cross_entropy: a difference up to 40, rounded at 2⁻²⁴ of itself, and a logarithm.
      const lossTolerance = { atol: 1e-5, rtol: 1e-6 };
      // The same difference over τ, weighted with probabilities: its relative error stays, its size is 40 / τ.
      const divergenceTolerance = { atol: Math.max(1e-5, 1e-5 / tau), rtol: 1e-6 };

      const measured = await run(given);
      expectClose(measured.losses, expected.losses, lossTolerance);
      expectClose(measured.divergences, expected.divergences, divergenceTolerance);
      // Left alone by an evaluation.
      expectClose(measured.logits, logits, { atol: 0, rtol: 0 });

      const trained = await run({ ...given, gradientScale: scale });
      expectClose(trained.losses, expected.losses, lossTolerance);
      expectClose(trained.divergences, expected.divergences, divergenceTolerance);
      // Probabilities with the relative error of exp(x / τ), at most 1e-5 + 1e-6 / τ; q − p and h − 1 cancel.
      const relative = 1e-5 + 1e-6 / tau;
      expectClose(trained.logits, expected.dLogits, {
        atol: scale * (2e-6 + w * tau * relative),
        rtol: relative,
      });
      expectClose(trained.teacher, teacher, { atol: 0, rtol: 0 });
    },
  );

  test.each(PROFILES)('large logits neither overflow nor vanish, %s kernels', async (profile) => {
    const logits = [1e4, 1e4 - 1, -1e4, -1e4, -1e4 - 3, -1e30];
    const teacher = [-1e30, 1e4, 1e4 - 1, 1e30, -1e30, -1e30];
    const targets = [1, 0];
    const given = { logits, teacher, targets, vocabulary: 3, weight: 0.5, gradientScale: 1, profile };
    for (const temperature of [0.125, 1, 8]) {
      const measured = await run({ ...given, temperature });
      const settings = { weight: 0.5, temperature, scale: 1 };
      const expected = distillationReference(logits, teacher, targets, 3, settings);
      // One ulp at 1e4 is 2⁻¹⁰.
      expectClose(measured.losses, expected.losses, { atol: 2e-3, rtol: 0 });
      expectClose(measured.divergences, expected.divergences, { atol: 2e-3 / temperature, rtol: 1e-6 });
      expectClose(measured.logits, expected.dLogits, { atol: 2e-3, rtol: 0 });
    }
  });

  test.each(PROFILES)('with weight 0 the gradient is that of cross_entropy, %s kernels', async (profile) => {
    const [rows, vocabulary] = [6, 300];
    const logits = randomValues(rows * vocabulary, 1, 10);
    const targets = randomTargets(rows, vocabulary);
    const plain = {
      logits: await upload(logits),
      targets: await uploadWords(targets),
      losses: await zeros(rows),
    };
    await runOnce(
      (r) => crossEntropy(r, { ...plain, rows, vocabulary, gradientScale: 0.25, label: 'test' }),
      profile,
    );
    const measured = await run({
      logits,
      teacher: randomValues(rows * vocabulary, 2, 10),
      targets,
      vocabulary,
      weight: 0,
      temperature: 3,
      gradientScale: 0.25,
      profile,
    });
    // cross_entropy subtracts a log-sum-exp near 10, this one two smaller terms: 1e-6 of each probability.
    expectClose(measured.losses, await download(plain.losses), { atol: 4e-6, rtol: 0 });
    expectClose(measured.logits, await download(plain.logits), { atol: 2.5e-7, rtol: 4e-6 });
  });

  test.each(PROFILES)(
    'a student that is its teacher has nothing to learn from it, %s kernels',
    async (profile) => {
      const logits = randomValues(5 * 301, 3, 10);
      const given = { logits, teacher: logits, targets: [0, 1, 2, 3, 300], vocabulary: 301, profile };
      const measured = await run({ ...given, weight: 1, temperature: 2, gradientScale: 1 });
      // The same operations on the same numbers; a compiler may fuse them differently.
      expectClose(measured.divergences, new Float64Array(5), { atol: 1e-6, rtol: 0 });
      expectClose(measured.logits, new Float64Array(5 * 301), { atol: 1e-6, rtol: 0 });
    },
  );

  test.each(PROFILES)('a small divergence keeps its digits, %s kernels', async (profile) => {
    const logits = randomValues(3 * 301, 3, 4);
    const teacher = randomValues(3 * 301, 4, 1e-3).map((moved, i) => Math.fround(logits[i]! + moved));
    const given = { logits, teacher, targets: [0, 1, 2], vocabulary: 301, profile };
    const measured = await run({ ...given, weight: 1, temperature: 1 });
    const settings = { weight: 1, temperature: 1, scale: 1 };
    const expected = distillationReference(logits, teacher, given.targets, 301, settings);
    // Off by 4e-8 with the two terms that add up to nothing, by 4e-7 to 1.5e-6 without them.
    expect(Math.max(...expected.divergences)).toBeLessThan(1e-6);
    expectClose(measured.divergences, expected.divergences, { atol: 1e-7, rtol: 0 });
  });

  test.each(PROFILES)(
    'a logit that is not finite shows in its row and in no other, %s kernels',
    async (profile) => {
      const vocabulary = 700;
      const logits = randomValues(5 * vocabulary, 4);
      const teacher = randomValues(5 * vocabulary, 5);
      // Row 0: the student's; 1: the teacher's; 2: none; 3: one of each, not counted; 4: the teacher's minus infinity.
      logits[699] = NaN;
      teacher[vocabulary + 300] = Infinity;
      logits[3 * vocabulary] = teacher[3 * vocabulary + 1] = NaN;
      teacher[4 * vocabulary + 699] = -Infinity;
      const targets = [0, 0, 0, IGNORED_TARGET, 0];
      const measured = await run({
        logits,
        teacher,
        targets,
        vocabulary,
        weight: 0.5,
        temperature: 2,
        profile,
      });
      expect([...measured.losses].map(Number.isFinite)).toEqual([false, true, true, true, true]);
      expect([...measured.divergences].map(Number.isFinite)).toEqual([false, false, true, true, false]);
      expect([measured.losses[3], measured.divergences[3]]).toEqual([0, 0]);
    },
  );

  test('reference gradient agrees with central differences', () => {
    const logits = randomValues(10, 5, 3);
    const teacher = randomValues(10, 6, 3);
    const targets = [3, IGNORED_TARGET];
    for (const [weight, temperature] of [
      [0, 1],
      [0.7, 2],
      [1, 0.5],
    ] as const) {
      const settings = { weight, temperature, scale: 0.3 };
      const total = (x: Float64Array) => {
        const { losses, divergences } = distillationReference(x, teacher, targets, 5, settings);
        const soft = weight * temperature ** 2;
        return losses.reduce((sum, loss, r) => sum + 0.3 * (soft * divergences[r]! + (1 - weight) * loss), 0);
      };
      const { dLogits } = distillationReference(logits, teacher, targets, 5, settings);
      expectClose(dLogits, numericalGradient(total, logits), { atol: 1e-9, rtol: 1e-7 });
    }
  });
});
