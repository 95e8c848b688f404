import { describe, expect, test } from 'vitest';
import { rope, ropeFrequencies, ropeTable, type RopeScaling } from './rope';
import { ropeReference, type RopeShape } from './rope.reference';
import { download, expectClose, numericalGradient, randomValues, runOnce, upload } from './testing';

const SHAPES: RopeShape[] = [
  { batch: 1, context: 1, heads: 1, keyValueHeads: 1, headDim: 2 },
  { batch: 3, context: 5, heads: 6, keyValueHeads: 3, headDim: 6 },
  { batch: 2, context: 37, heads: 6, keyValueHeads: 2, headDim: 32 },
  { batch: 2, context: 64, heads: 3, keyValueHeads: 1, headDim: 64 },
  { batch: 1, context: 9, heads: 2, keyValueHeads: 2, headDim: 128 },
];
const columnsOf = (s: RopeShape) => (s.heads + 2 * s.keyValueHeads) * s.headDim;
const sizeOf = (s: RopeShape) => s.batch * s.context * columnsOf(s);

test.each(SHAPES)('rotates q and k in place, %o', async (shape) => {
  const x = randomValues(sizeOf(shape), 1);
  const bias = randomValues(columnsOf(shape), 2);
  const table = ropeTable(shape.headDim, shape.context + 3, { theta: 10_000 });
  for (const withBias of [false, true]) {
    const qkv = await upload(x);
    const given = { qkv, table: await upload(table), bias: withBias ? await upload(bias) : undefined };
    await runOnce((r) => rope(r, { ...shape, ...given, label: 'rope' }));
    // Two products and three sums of values below 2.
    const expected = ropeReference(x, withBias ? bias : null, table, shape);
    expectClose(await download(qkv), expected, { atol: 2 ** -21, rtol: 0 });
  }
});

test('rotating back is the gradient and the inverse', () => {
  const shape: RopeShape = { batch: 1, context: 3, heads: 2, keyValueHeads: 1, headDim: 4 };
  const table = ropeTable(shape.headDim, shape.context, { theta: 100 });
  const x = randomValues(sizeOf(shape), 3);
  const dY = randomValues(sizeOf(shape), 4);
  const loss = (v: Float64Array) =>
    ropeReference(v, null, table, shape).reduce((s, y, i) => s + y * dY[i]!, 0);
  const back = ropeReference(dY, null, table, shape, -1);
  expectClose(numericalGradient(loss, x), back, { atol: 1e-8, rtol: 1e-8 });
  const round = ropeReference(ropeReference(x, null, table, shape), null, table, shape, -1);
  expectClose(round, x, { atol: 1e-6, rtol: 0 });
});

describe('frequencies', () => {
  test('are powers of theta; linear divides them all', () => {
    const plain = ropeFrequencies(8, { theta: 10_000 });
    expectClose(plain, [1, 0.1, 0.01, 0.001], { atol: 1e-15, rtol: 0 });
    const linear = ropeFrequencies(8, { theta: 10_000, scaling: { type: 'linear', factor: 4 } });
    expectClose(linear, [0.25, 0.025, 0.0025, 0.00025], { atol: 1e-15, rtol: 0 });
  });

  test('llama3 keeps fast ones, divides slow ones and is continuous between', () => {
    const scaling: RopeScaling = {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 8192,
    };
    const plain = ropeFrequencies(128, { theta: 500_000 });
    const scaled = ropeFrequencies(128, { theta: 500_000, scaling });
    let blended = 0;
    plain.forEach((frequency, i) => {
      const wavelength = (2 * Math.PI) / frequency;
      const ratio = scaled[i]! / frequency;
      if (wavelength < 8192 / 4) expect(ratio).toBe(1);
      else if (wavelength > 8192) expect(ratio).toBe(1 / 8);
      else {
        blended++;
        const smooth = (8192 / wavelength - 1) / 3;
        expect(ratio).toBeCloseTo((1 - smooth) / 8 + smooth, 12);
      }
    });
    expect(blended).toBeGreaterThan(3);
  });

  test('the table holds cosines, then sines, of position times frequency', () => {
    const table = ropeTable(4, 3, { theta: 100 });
    const angle = 2 * 0.1;
    expectClose(table.slice(8), [Math.cos(2), Math.cos(angle), Math.sin(2), Math.sin(angle)], {
      atol: 1e-7,
      rtol: 0,
    });
  });
});
