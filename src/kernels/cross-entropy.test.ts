import { describe, expect, test } from 'vitest';
import { crossEntropy, IGNORED_TARGET } from './cross-entropy';
import { crossEntropyReference } from './cross-entropy.reference';
import {
  download,
  expectClose,
  numericalGradient,
  PROFILES,
  randomValues,
  runOnce,
  upload,
  uploadWords,
  zeros,
} from './testing';

function randomTargets(rows: number, vocabulary: number): Uint32Array {
  return Uint32Array.from(randomValues(rows, 77, 1), (v, r) =>
    r % 4 === 3 ? IGNORED_TARGET : Math.floor(((v + 1) / 2) * vocabulary),
  );
}

describe('cross_entropy', () => {
  test.each([
    { rows: 1, vocabulary: 1, profile: 'gpu' },
    { rows: 4, vocabulary: 7, profile: 'gpu' },
    { rows: 9, vocabulary: 301, profile: 'gpu' },
    { rows: 64, vocabulary: 2048, profile: 'gpu' },
    { rows: 1, vocabulary: 1, profile: 'software' },
    { rows: 9, vocabulary: 301, profile: 'software' },
    { rows: 64, vocabulary: 2048, profile: 'software' },
  ] as const)('$rows rows of $vocabulary, $profile kernels', async ({ rows, vocabulary, profile }) => {
    const logits = randomValues(rows * vocabulary, rows, 20);
    const targets = randomTargets(rows, vocabulary);
    const scale = Math.fround(1 / rows);
    const expected = crossEntropyReference(logits, targets, vocabulary, scale);
    const [logitsSlice, targetsSlice, losses] = [
      await upload(logits),
      await uploadWords(targets),
      await zeros(rows),
    ];
    const common = {
      logits: logitsSlice,
      targets: targetsSlice,
      losses,
      rows,
      vocabulary,
      label: 'test',
    };
    // A loss is the difference of two values up to 20 + ln V, each rounded at 2⁻²⁴ of itself, and a logarithm
    // of a sum whose relative error, at worst V·2⁻²⁴, is far smaller in practice.
    const lossTolerance = { atol: 1e-5, rtol: 1e-6 };

    await runOnce((r) => crossEntropy(r, common), profile);
    expectClose(await download(losses), expected.losses, lossTolerance);
    // Left alone by an evaluation.
    expectClose(await download(logitsSlice), logits, { atol: 0, rtol: 0 });

    await runOnce((r) => crossEntropy(r, { ...common, gradientScale: scale }), profile);
    expectClose(await download(losses), expected.losses, lossTolerance);
    // exp of a difference with absolute error 1e-5 has that relative error; atol for 1 − p close to 0.
    expectClose(await download(logitsSlice), expected.dLogits, { atol: 2e-6 * scale, rtol: 1e-5 });
  });

  test.each(PROFILES)('large logits neither overflow nor vanish, %s kernels', async (profile) => {
    const logits = [1e4, 1e4 - 1, -1e4, -1e4, -1e4 - 3, -1e30];
    const targets = [1, 0];
    const [logitsSlice, targetsSlice, losses] = [
      await upload(logits),
      await uploadWords(targets),
      await zeros(2),
    ];
    await runOnce(
      (r) =>
        crossEntropy(r, {
          logits: logitsSlice,
          targets: targetsSlice,
          losses,
          rows: 2,
          vocabulary: 3,
          gradientScale: 1,
          label: 'test',
        }),
      profile,
    );
    const expected = crossEntropyReference(logits, targets, 3, 1);
    // One ulp at 1e4 is 2⁻¹⁰.
    expectClose(await download(losses), expected.losses, { atol: 2e-3, rtol: 0 });
    expectClose(await download(logitsSlice), expected.dLogits, { atol: 2e-3, rtol: 0 });
  });

  test.each([
    { software: false, vocabulary: 3 },
    { software: false, vocabulary: 700 },
    { software: true, vocabulary: 700 },
  ])(
    'a logit that is not finite shows in its row’s loss and in no other: $vocabulary, software $software',
    async ({ software, vocabulary }) => {
      const logits = randomValues(5 * vocabulary, 4);
      const last = vocabulary - 1;
      // The target's own, another, none, an infinite one, a negative infinite one.
      logits[0] = NaN;
      logits[vocabulary + last] = NaN;
      logits[3 * vocabulary + last] = Infinity;
      logits[4 * vocabulary + last] = -Infinity;
      const losses = await zeros(5);
      const options = { rows: 5, vocabulary, software, losses, label: 'test' };
      const slices = { logits: await upload(logits), targets: await uploadWords([0, 0, 0, 0, 0]) };
      await runOnce((r) => crossEntropy(r, { ...options, ...slices }));
      expect([...(await download(losses))].slice(0, 5).map(Number.isFinite)).toEqual([
        false,
        false,
        true,
        false,
        false,
      ]);
    },
  );

  test('reference gradient agrees with central differences', () => {
    const logits = randomValues(10, 5, 3);
    const targets = [3, IGNORED_TARGET];
    const total = (x: Float64Array) =>
      0.3 * crossEntropyReference(x, targets, 5, 0.3).losses.reduce((a, b) => a + b);
    const { dLogits } = crossEntropyReference(logits, targets, 5, 0.3);
    expectClose(dLogits, numericalGradient(total, logits), { atol: 1e-9, rtol: 1e-7 });
  });
});
