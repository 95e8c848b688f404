import { describe, expect, test } from 'vitest';
import { rmsNormBackward, rmsNormForward } from './rms-norm';
import {
  branchGradientReference,
  residualReference,
  rmsNormGradientReference,
  rmsNormReference,
  type RmsNormShape,
} from './rms-norm.reference';
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

const EPSILON = 1e-5;
const SHAPES: [rows: number, hidden: number, blocks: number][] = [
  [1, 1, 1],
  [3, 5, 4],
  [9, 63, 2],
  [40, 65, 3],
  [130, 192, 16],
  [512, 128, 64],
  [17, 1030, 5],
];

/** Gates with a third closed, the rest between 0.1 and 1; element `hidden` is the layer gate. */
function randomGates(hidden: number, seed: number): Float64Array {
  const gates = randomValues(hidden + 1, seed).map((v) => (v < -1 / 3 ? 0 : Math.fround(0.55 + 0.45 * v)));
  gates[hidden] = Math.fround(0.7);
  return gates;
}

/** Sums over columns or rows of `count` products in f32; the scale r adds a handful of roundings. */
const tolerance = (count: number) => ({ atol: 1e-6, rtol: (count + 16) * 2 ** -24 });

const CASES = PROFILES.flatMap((profile) => SHAPES.map((shape) => [...shape, profile] as const));

describe.each(CASES)('%i rows of %i, %i row blocks, %s kernels', (rows, hidden, blocks, profile) => {
  const shape: RmsNormShape = { rows, hidden, epsilon: EPSILON };
  const size = rows * hidden;
  const x = randomValues(size, 1, 3);
  const output = randomValues(size, 2, 2);
  const z = randomGates(hidden, 3);
  const w = randomValues(hidden, 4, 2);
  const dY = randomValues(size, 5);
  const incoming = randomValues(size, 6);
  const offset = hidden % 4 === 0 && hidden !== 128 ? 8 : 3;
  const weights = [...randomValues(offset, 7), ...w];
  const columns = 3 * hidden + 5;

  test('forward without a branch', async () => {
    const y = await zeros(size);
    const given = { x: await upload(x), weights: await upload(weights), gates: await upload(z) };
    await runOnce(
      (r) =>
        rmsNormForward(r, {
          ...given,
          weightOffset: offset,
          y,
          rows,
          hidden,
          epsilon: EPSILON,
          label: 'norm',
        }),
      profile,
    );
    expectClose(await download(y), rmsNormReference(x, w, z, shape), tolerance(hidden));
  });

  test('forward with a branch', async () => {
    const [y, residual] = [await zeros(size), await zeros(size)];
    const given = { x: await upload(x), weights: await upload(weights), gates: await upload(z) };
    const branch = { output: await upload(output), layerGate: hidden };
    await runOnce(
      (r) =>
        rmsNormForward(r, {
          ...given,
          branch,
          residual,
          weightOffset: offset,
          y,
          rows,
          hidden,
          epsilon: EPSILON,
          label: 'norm',
        }),
      profile,
    );
    const added = residualReference(x, output, z[hidden]!, z, shape);
    expectClose(await download(residual), added, { atol: 1e-6, rtol: 2 ** -22 });
    expectClose(await download(y), rmsNormReference(added, w, z, shape), tolerance(hidden));
  });

  test.each([
    ['without a branch, adding', false, true],
    ['without a branch, from zero', false, false],
    ['with a branch, adding', true, true],
    ['with a branch, from zero', true, false],
  ])('gradients %s', async (_, hasBranch, addToResidual) => {
    const given = {
      x: await upload(x),
      weights: await upload(weights),
      gates: await upload(z),
      dY: await upload(dY),
      dX: await upload(incoming),
    };
    // Not zero before: each block must write its columns, also when it has no rows.
    const partials = { slice: await upload(randomValues(blocks * columns, 8)), blocks, columns };
    const before = await download(partials.slice);
    const dOutput = await zeros(size);
    const branch = { output: await upload(output), layerGate: hidden, dOutput };
    await runOnce(
      (r) =>
        rmsNormBackward(r, {
          ...given,
          weightOffset: offset,
          addToResidual,
          branch: hasBranch ? branch : undefined,
          partials,
          weightColumn: 1,
          hiddenGateColumn: hidden + 2,
          branchColumn: hasBranch ? 2 * hidden + 3 : undefined,
          rows,
          hidden,
          epsilon: EPSILON,
          label: 'norm',
        }),
      profile,
    );
    const gradient = rmsNormGradientReference(x, w, z, dY, shape);
    const dX = gradient.dX.map((v, i) => v + (addToResidual ? incoming[i]! : 0));
    expectClose(await download(given.dX), dX, tolerance(hidden));

    const written = await download(partials.slice);
    const sumOf = (column: number) =>
      Float64Array.from({ length: hidden }, (_, j) => {
        let sum = 0;
        for (let p = 0; p < blocks; p++) sum += written[p * columns + column + j]!;
        return sum;
      });
    // Terms are at most 2·3·√hidden in size.
    const columnTolerance = { atol: 1e-5 + rows * Math.sqrt(hidden) * 1e-6, rtol: 0 };
    expectClose(sumOf(1), gradient.dW, columnTolerance);
    expectClose(sumOf(hidden + 2), gradient.dZ, columnTolerance);
    if (hasBranch) {
      const expected = branchGradientReference(dX, output, z[hidden]!, z, shape);
      expectClose(await download(dOutput), expected.dOutput, tolerance(hidden));
      expectClose(sumOf(2 * hidden + 3), expected.sums, columnTolerance);
    }
    for (let p = 0; p < blocks; p++) {
      for (const column of [0, hidden + 1, 2 * hidden + 2, 3 * hidden + 3]) {
        expect(written[p * columns + column]).toBe(before[p * columns + column]);
      }
    }
  });
});

describe('the reference', () => {
  const shape: RmsNormShape = { rows: 3, hidden: 6, epsilon: EPSILON };
  const size = shape.rows * shape.hidden;
  const [x, output, dY] = [randomValues(size, 1), randomValues(size, 2), randomValues(size, 3)];
  const w = randomValues(shape.hidden, 4);
  const z = Float64Array.from([1, 0, 0.5, 0.25, 0, 1]);
  const zLayer = 0.6;
  const close = { atol: 1e-8, rtol: 1e-8 };
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

  test('has the gradients of central differences', () => {
    const { dX, dW, dZ } = rmsNormGradientReference(x, w, z, dY, shape);
    expectClose(
      numericalGradient((v) => dot(rmsNormReference(v, w, z, shape), dY), x),
      dX,
      close,
    );
    expectClose(
      numericalGradient((v) => dot(rmsNormReference(x, v, z, shape), dY), w),
      dW,
      close,
    );
    // At a closed gate the set of kept dims jumps; the kernel's gradient holds it fixed.
    const dZNumerical = numericalGradient((v) => dot(rmsNormReference(x, w, v, shape), dY), z);
    for (let j = 0; j < shape.hidden; j++) {
      if (z[j] !== 0) expect(dZ[j]).toBeCloseTo(dZNumerical[j]!, 8);
    }
  });

  test('turns branch sums into the gradients of both gates', () => {
    const incoming = randomValues(size, 5);
    const loss = (O: Float64Array, layer: number, hidden: Float64Array) => {
      const added = residualReference(x, O, layer, hidden, shape);
      // The norm with its gates held at z: only the branch's use of the gates is differentiated here.
      return dot(rmsNormReference(added, w, z, shape), dY) + dot(added, incoming);
    };
    const added = residualReference(x, output, zLayer, z, shape);
    const dX = rmsNormGradientReference(added, w, z, dY, shape).dX.map((v, i) => v + incoming[i]!);
    const { dOutput, sums } = branchGradientReference(dX, output, zLayer, z, shape);
    expectClose(
      numericalGradient((v) => loss(v, zLayer, z), output),
      dOutput,
      close,
    );
    expectClose(
      numericalGradient((v) => loss(output, zLayer, v), z),
      sums.map((s) => s * zLayer),
      close,
    );
    expectClose(
      numericalGradient((v) => loss(output, v[0]!, z), Float64Array.of(zLayer)),
      [dot(sums, z)],
      close,
    );
  });
});
