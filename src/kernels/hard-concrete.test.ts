import { describe, expect, test } from 'vitest';
import { gateLayoutOf } from './gate-layout.reference';
import { sampleGates } from './hard-concrete';
import {
  clampLogAlpha,
  gateNoise,
  hardConcreteSlope,
  hardConcreteValue,
  LOG_ALPHA_LIMIT,
  probabilityOfZero,
  probabilityOfZeroSlope,
  softValue,
  threefry2x32,
} from './hard-concrete-distribution';
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

const BETA = 2 / 3;

describe('hard-concrete formulas', () => {
  // Computed from the published formulas at β = 2/3, to six decimals.
  test.each([
    [4.60517, 0.002018, 0.95287, 0.996035, [1, 1, 1, 1, 1]],
    [2, 0.026633, 0.599025, 0.916827, [0.134223, 0.853364, 1, 1, 1]],
    [0, 0.168178, 0.168178, 0.5, [0, 0.093669, 0.5, 0.906331, 1]],
    [-2, 0.599025, 0.026633, 0.083173, [0, 0, 0, 0.146636, 0.865777]],
    [-4.60517, 0.95287, 0.002018, 0.003965, [0, 0, 0, 0, 0]],
  ])('table of values at logα = %f', (logAlpha, zero, one, soft, values) => {
    expect(probabilityOfZero(logAlpha, BETA)).toBeCloseTo(zero, 6);
    expect(probabilityOfZero(-logAlpha, BETA)).toBeCloseTo(one, 6);
    expect(softValue(logAlpha, BETA)).toBeCloseTo(soft, 6);
    [0.05, 0.25, 0.5, 0.75, 0.95].forEach((u, i) => {
      expect(hardConcreteValue(logAlpha, u, BETA)).toBeCloseTo(values[i]!, 6);
    });
  });

  test("the paper's temperature, β = 0.83", () => {
    expect(probabilityOfZero(4.60517, 0.83)).toBeCloseTo(0.001365, 6);
    expect(softValue(4.60517, 0.83)).toBeCloseTo(0.988327, 6);
    expect(probabilityOfZero(0, 0.83)).toBeCloseTo(0.12023, 6);
  });

  test.each([
    [-3, BETA],
    [0, BETA],
    [1.5, 0.83],
  ])('slopes at logα = %f, β = %f agree with central differences', (logAlpha, temperature) => {
    const h = 1e-6;
    const slope = (f: (a: number) => number) => (f(logAlpha + h) - f(logAlpha - h)) / (2 * h);
    expect(probabilityOfZeroSlope(logAlpha, temperature)).toBeCloseTo(
      slope((a) => probabilityOfZero(a, temperature)),
      8,
    );
    for (const u of [0.02, 0.3, 0.5, 0.7, 0.9]) {
      const z = hardConcreteValue(logAlpha, u, temperature);
      expect(hardConcreteSlope(z, temperature)).toBeCloseTo(
        slope((a) => hardConcreteValue(a, u, temperature)),
        7,
      );
    }
  });

  test('Threefry-2x32-20 gives the known answers of Random123', () => {
    expect(threefry2x32([0, 0], [0, 0])).toEqual([0x6b200159, 0x99ba4efe]);
    expect(threefry2x32([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff])).toEqual([
      0x1cb996fc, 0xbb002be7,
    ]);
    expect(threefry2x32([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3])).toEqual([
      0xc4923a9c, 0x483df7a0,
    ]);
  });
});

describe('sample_gates', () => {
  test.each([
    { hidden: 1, layers: 1, keyValueHeads: 1, intermediate: 1 },
    { hidden: 37, layers: 3, keyValueHeads: 2, intermediate: 45 },
    { hidden: 192, layers: 6, keyValueHeads: 4, intermediate: 512 },
  ])('d $hidden, L $layers, G $keyValueHeads, I $intermediate', async (shape) => {
    const layout = gateLayoutOf(shape);
    // Beyond the clamp on both sides.
    const logAlpha = randomValues(layout.total, 1, 6);
    // Pinned by hand, and moved a little by the moments that Adam had before.
    logAlpha[0] = 61.5;
    if (layout.total > 8) [logAlpha[3], logAlpha[7]] = [-64, -66];
    const logAlphaSlice = await upload([...logAlpha, 42, 43]);
    const gates = await zeros(layout.total);
    const inputs = stepInputs({ seed: 17 + 5 * 2 ** 32, step: 1234, activeSets: 0b0111 });
    const step = await uploadStep(inputs);
    await runOnce((r) => sampleGates(r, { logAlpha: logAlphaSlice, gates, step, layout, label: 'test' }));
    const clamped = logAlpha.map(clampLogAlpha);
    const expected = clamped.map((a, i) =>
      i >= layout.sets[3]!.offset ? 1 : hardConcreteValue(a, gateNoise(inputs.seed, inputs.step, i), BETA),
    );
    // WGSL's log is within 2⁻²¹ near 1, then divided by β and passed through a slope of at most 0.3.
    expectClose(await download(gates), expected, { atol: 3e-6, rtol: 0 });
    const after = await download(logAlphaSlice);
    expectClose(after, clamped, { atol: 0, rtol: 1e-7 });
    // What follows logα in the parameter buffer is left alone.
    expect([...after.subarray(layout.total, layout.total + 2)]).toEqual([42, 43]);
  });

  test.each([-LOG_ALPHA_LIMIT, -2, 0, 2, LOG_ALPHA_LIMIT])(
    'share of closed gates at logα = %f is P(z = 0)',
    async (logAlpha) => {
      const count = 100_000;
      const layout = gateLayoutOf({ hidden: count, layers: 1, keyValueHeads: 1, intermediate: 1 });
      const logAlphaSlice = await upload(new Float32Array(layout.total).fill(logAlpha));
      const gates = await zeros(layout.total);
      const step = await uploadStep(stepInputs());
      await runOnce((r) => sampleGates(r, { logAlpha: logAlphaSlice, gates, step, layout, label: 'test' }));
      const closed = (await download(gates)).subarray(0, count).filter((z) => z === 0).length;
      const p = probabilityOfZero(logAlpha, BETA);
      // Five standard errors of a proportion; the noise is fixed, so this either always holds or never.
      expect(Math.abs(closed / count - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / count));
    },
  );

  test('another step or seed is other noise, the same step the same', async () => {
    const layout = gateLayoutOf({ hidden: 64, layers: 1, keyValueHeads: 1, intermediate: 1 });
    const logAlpha = await zeros(layout.total);
    const draw = async (seed: number, at: number) => {
      const gates = await zeros(layout.total);
      const step = await uploadStep(stepInputs({ seed, step: at }));
      await runOnce((r) => sampleGates(r, { logAlpha, gates, step, layout, label: 'test' }));
      return [...(await download(gates))];
    };
    const first = await draw(1, 0);
    expect(await draw(1, 0)).toEqual(first);
    expect(await draw(1, 1)).not.toEqual(first);
    expect(await draw(2, 0)).not.toEqual(first);
    expect(await draw(1 + 2 ** 32, 0)).not.toEqual(first);
  });
});
