import { describe, expect, test } from 'vitest';
import { matmul, type MatmulLayout } from './matmul';
import { matmulReference } from './matmul.reference';
import { download, expectClose, numericalGradient, randomValues, runOnce, upload, zeros } from './testing';

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
  { layout, software: false },
  { layout, software: true },
]);

describe.each(VARIANTS)('matmul $layout, software $software', ({ layout, software }) => {
  test.each(SHAPES)('%i×%i, k %i, equals the reference', async (m, n, k) => {
    const a = randomValues(m * k, m + n);
    const b = randomValues(n * k, k + 7);
    const expected = matmulReference(layout, a, b, m, n, k);
    const [left, right, out] = [await upload(a), await upload(b), await zeros(m * n)];
    await runOnce((r) => matmul(r, { layout, a: left, b: right, c: out, m, n, k, software, label: 'test' }));
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
    await runOnce((r) =>
      matmul(r, { layout, a: left, b: right, c: out, m, n, k, accumulate: true, software, label: 'test' }),
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
