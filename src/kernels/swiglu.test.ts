import { describe, expect, test } from 'vitest';
import { swigluBackward, swigluForward } from './swiglu';
import { swigluBackwardReference, swigluReference } from './swiglu.reference';
import { download, expectClose, numericalGradient, randomValues, runOnce, upload, zeros } from './testing';

/** Random gates in [0, 1] with some exactly closed and some exactly open. */
function randomGates(count: number, seed: number): Float64Array {
  return randomValues(count, seed, 0.8).map((v) => Math.fround(Math.min(1, Math.max(0, v + 0.5))));
}

describe('swiglu', () => {
  test.each([
    { rows: 1, intermediate: 1, blocks: 1 },
    { rows: 5, intermediate: 67, blocks: 3 },
    // More blocks than rows: the idle ones write zeros.
    { rows: 3, intermediate: 129, blocks: 8 },
    { rows: 256, intermediate: 512, blocks: 16 },
  ])('$rows × $intermediate in $blocks blocks', async ({ rows, intermediate, blocks }) => {
    const shape = { rows, intermediate };
    // Wide enough that σ saturates on both sides.
    const gateUp = randomValues(rows * 2 * intermediate, 1, 12);
    const dAct = randomValues(rows * intermediate, 2);
    const z = randomGates(intermediate, 3);
    const gateOffset = 7;
    const gates = await upload([...randomValues(gateOffset, 4), ...z]);
    const act = await zeros(rows * intermediate);
    const gateUpSlice = await upload(gateUp);
    await runOnce((r) =>
      swigluForward(r, {
        gateUp: gateUpSlice,
        gates,
        intermediateGate: gateOffset,
        act,
        ...shape,
        label: 'test',
      }),
    );
    const actual = await download(act);
    // σ in f32 carries a relative error of a few ulp of exp, whose own error grows with |g| ≤ 12.
    const elementwise = { atol: 1e-6, rtol: 5e-6 };
    expectClose(actual, swigluReference(gateUp, z, shape), elementwise);
    z.forEach((value, i) => {
      if (value === 0) expect(actual[i]).toBeCloseTo(0, 12);
    });

    const columns = intermediate + 11;
    const partials = { slice: await upload(randomValues(blocks * columns, 5)), blocks, columns };
    const dActSlice = await upload(dAct);
    await runOnce((r) =>
      swigluBackward(r, {
        gateUp: gateUpSlice,
        dAct: dActSlice,
        gates,
        intermediateGate: gateOffset,
        partials,
        intermediateGateColumn: 4,
        ...shape,
        label: 'test',
      }),
    );
    const expected = swigluBackwardReference(gateUp, z, dAct, shape);
    // silu′ cancels near its zero at g ≈ −1.28: the terms there are at most |u| ≤ 12.
    expectClose(await download(gateUpSlice), expected.dGateUp, { atol: 2e-5, rtol: 5e-6 });
    const sums = await download(partials.slice);
    const dz = Float64Array.from({ length: intermediate }, (_, i) => {
      let sum = 0;
      for (let p = 0; p < blocks; p++) sum += sums[p * columns + 4 + i]!;
      return sum;
    });
    expectClose(dz, expected.dz, { atol: 1e-6, rtol: 1e-5, magnitude: expected.dzMagnitude });
  });

  test('reference gradients agree with central differences', () => {
    const shape = { rows: 2, intermediate: 3 };
    const gateUp = randomValues(12, 1, 3);
    const z = randomGates(3, 2);
    const dAct = randomValues(6, 3);
    const loss = (x: ArrayLike<number>, gates: ArrayLike<number>) =>
      swigluReference(x, gates, shape).reduce((sum, v, i) => sum + v * dAct[i]!, 0);
    const { dGateUp, dz } = swigluBackwardReference(gateUp, z, dAct, shape);
    expectClose(
      dGateUp,
      numericalGradient((x) => loss(x, z), gateUp),
      { atol: 1e-8, rtol: 1e-7 },
    );
    expectClose(
      dz,
      numericalGradient((gates) => loss(gateUp, gates), z),
      { atol: 1e-8, rtol: 1e-7 },
    );
  });
});
