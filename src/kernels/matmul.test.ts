import { describe, expect, test } from 'vitest';
import { matmul, matmulScratchElements, type MatmulLayout } from './matmul';
import { matmulReference } from './matmul.reference';
import {
  download,
  expectClose,
  numericalGradient,
  PROFILES,
  randomValues,
  runOnce,
  upload,
  zeros,
} from './testing';

const LAYOUTS: MatmulLayout[] = ['nt', 'nn', 'tn'];

/** Odd shapes at every edge of the tiles, and the shapes of a small LLaMA. */
const SHAPES: [m: number, n: number, k: number][] = [
  [1, 1, 1],
  [3, 5, 7],
  [31, 33, 15],
  [4, 4, 4],
  [12, 20, 36],
  [32, 64, 16],
  [65, 63, 17],
  [67, 130, 5],
  [67, 130, 8],
  [68, 132, 21],
  [68, 132, 20],
  [1, 259, 33],
  [130, 2, 66],
  [256, 192, 64],
  [128, 2048, 64],
  [192, 64, 1024],
  [600, 1100, 24],
];

/** A sum of k products in f32, in any order, is within (k + 1)·2⁻²⁴·Σ|terms| of the exact one. */
const rounding = (k: number) => (k + 2) * 2 ** -24;

const VARIANTS = LAYOUTS.flatMap((layout) => [
  { layout, profile: 'gpu' as const },
  { layout, profile: 'software' as const },
]);

describe.each(VARIANTS)('matmul $layout, $profile kernels', ({ layout, profile }) => {
  test.each(SHAPES)('%i×%i, k %i, equals the reference', async (m, n, k) => {
    const a = randomValues(m * k, m + n);
    const b = randomValues(n * k, k + 7);
    const expected = matmulReference(layout, a, b, m, n, k);
    const [left, right, out] = [await upload(a), await upload(b), await zeros(m * n)];
    await runOnce((r) => matmul(r, { layout, a: left, b: right, c: out, m, n, k, label: 'test' }), profile);
    expectClose(await download(out), expected.c, {
      atol: 0,
      rtol: rounding(k),
      magnitude: expected.magnitude,
    });
  });

  test('accumulates on what is there and leaves what lies behind C', async () => {
    const [m, n, k] = [37, 45, 50];
    const a = randomValues(m * k, 1);
    const b = randomValues(n * k, 2);
    const before = randomValues(m * n + 64, 3);
    const { c, magnitude } = matmulReference(layout, a, b, m, n, k);
    const [left, right, out] = [await upload(a), await upload(b), await upload(before)];
    await runOnce(
      (r) => matmul(r, { layout, a: left, b: right, c: out, m, n, k, accumulate: true, label: 'test' }),
      profile,
    );
    const actual = await download(out);
    expectClose(
      actual,
      c.map((v, i) => v + before[i]!),
      { atol: 0, rtol: rounding(k + 1), magnitude: magnitude.map((v, i) => v + Math.abs(before[i]!)) },
    );
    expect(Array.from(actual.slice(m * n))).toEqual(Array.from(before.slice(m * n)));
  });
});

describe.each(LAYOUTS)('matmul %s with k split', (layout) => {
  test.each([
    [192, 64, 1024],
    [45, 37, 291],
    [5, 3, 2050],
    [97, 66, 700],
    [100, 260, 257],
  ])('%i×%i, k %i, written and accumulated, as the reference and twice the same bits', async (m, n, k) => {
    const a = randomValues(m * k, m + n);
    const b = randomValues(n * k, k + 7);
    const { c, magnitude } = matmulReference(layout, a, b, m, n, k);
    const elements = matmulScratchElements({ m, n, k });
    expect(elements).toBeGreaterThanOrEqual(2 * m * n);
    expect(elements * 4).toBeLessThan(2 ** 22);
    const before = randomValues(m * n + 64, 3);
    // Whatever a shared scratch holds, and what lies behind the part that is used.
    const scratch = await upload(randomValues(elements + 64, 9));
    const given = { layout, a: await upload(a), b: await upload(b), m, n, k, scratch, label: 'test' };
    for (const accumulate of [false, true]) {
      const run = async () => {
        const out = await upload(before);
        let dispatches = 0;
        await runOnce((r) =>
          matmul(
            { profile: 'gpu', dispatch: (d) => (dispatches++, r.dispatch(d)) },
            { ...given, c: out, accumulate },
          ),
        );
        expect(dispatches).toBe(2);
        return download(out);
      };
      const actual = await run();
      const kept = (i: number) => (accumulate ? before[i]! : 0);
      expectClose(
        actual,
        c.map((v, i) => v + kept(i)),
        {
          atol: 0,
          // The slices' sum and what was there before add a few roundings.
          rtol: rounding(k + 20),
          magnitude: magnitude.map((v, i) => v + Math.abs(kept(i))),
        },
      );
      expect(Array.from(actual.slice(m * n))).toEqual(Array.from(before.slice(m * n)));
      expect(await run()).toEqual(actual);
    }
  });

  test('a scratch that is too small, or none, leaves k whole', async () => {
    const [m, n, k] = [33, 20, 300];
    const a = randomValues(m * k, 1);
    const b = randomValues(n * k, 2);
    const { c, magnitude } = matmulReference(layout, a, b, m, n, k);
    const scratch = await zeros(matmulScratchElements({ m, n, k }) - 1);
    const [left, right, out] = [await upload(a), await upload(b), await zeros(m * n)];
    await runOnce((r) => matmul(r, { layout, a: left, b: right, c: out, m, n, k, scratch, label: 'test' }));
    expectClose(await download(out), c, { atol: 0, rtol: rounding(k), magnitude });
    expect((await download(scratch)).every((v) => v === 0)).toBe(true);
  });
});

test('software adapters do not split k', async () => {
  const slice = await zeros(1);
  const size = { m: 64, n: 63, k: 4096 };
  const given = { layout: 'tn', a: slice, b: slice, c: slice, ...size, label: 'test' } as const;
  const scratch = { ...slice, size: 4 * matmulScratchElements(size) };
  const counts = PROFILES.map((profile) => {
    let dispatches = 0;
    matmul({ profile, dispatch: () => dispatches++ }, { ...given, scratch });
    return dispatches;
  });
  expect(counts).toEqual([2, 1]);
});

test('k is split only where the result is small and k long', () => {
  // Weight gradients of the nano model and 1,024 rows; 640 workgroups or 16 slices.
  expect(matmulScratchElements({ m: 192, n: 64, k: 1024 })).toBe(16 * 192 * 64);
  expect(matmulScratchElements({ m: 384, n: 64, k: 1024 })).toBe(16 * 384 * 64);
  expect(matmulScratchElements({ m: 2048, n: 64, k: 1024 })).toBe(8 * 2048 * 64);
  expect(matmulScratchElements({ m: 8192, n: 64, k: 1024 })).toBe(0);
  expect(matmulScratchElements({ m: 64, n: 64, k: 255 })).toBe(0);
  expect(matmulScratchElements({ m: 64, n: 64, k: 256 })).toBe(4 * 64 * 64);
});

test('nn and tn are the gradients of nt', () => {
  const [m, n, k] = [3, 4, 5];
  const x = randomValues(m * k, 4);
  const w = randomValues(n * k, 5);
  const dY = randomValues(m * n, 6);
  const loss = (X: Float64Array, W: Float64Array) =>
    matmulReference('nt', X, W, m, n, k).c.reduce((sum, y, i) => sum + y * dY[i]!, 0);
  const close = { atol: 1e-9, rtol: 1e-9 };
  const dX = matmulReference('nn', dY, w, m, k, n).c;
  const dW = matmulReference('tn', dY, x, n, k, m).c;
  expectClose(
    numericalGradient((v) => loss(v, w), x),
    dX,
    close,
  );
  expectClose(
    numericalGradient((v) => loss(x, v), w),
    dW,
    close,
  );
});
