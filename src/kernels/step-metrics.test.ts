import { describe, expect, test } from 'vitest';
import { decodeStepMetrics, STEP_METRICS_WORDS, stepMetrics } from './step-metrics';
import { windowMeans } from './step-metrics.reference';
import {
  download,
  expectClose,
  randomValues,
  runOnce,
  stepInputs,
  upload,
  uploadStep,
  uploadWords,
} from './testing';

describe('step_metrics', () => {
  test.each([
    { windows: 1, windowLength: 2, pruning: false, teacher: false },
    { windows: 1, windowLength: 2, pruning: false, teacher: true },
    { windows: 5, windowLength: 17, pruning: true, teacher: false },
    { windows: 16, windowLength: 128, pruning: false, teacher: true },
    { windows: 37, windowLength: 64, pruning: true, teacher: true },
  ])('$windows windows of $windowLength, pruning $pruning, teacher $teacher', async (given) => {
    const { windows, windowLength, pruning, teacher } = given;
    const predicted = (seed: number, scale: number) =>
      randomValues(windows * windowLength, seed, scale).map((v, i) =>
        (i + 1) % windowLength === 0 ? 0 : Math.abs(v),
      );
    const losses = predicted(1, 5);
    const divergences = predicted(5, 2);
    // Domain 19 has no place in the slot, domains 6 … 15 no windows.
    const windowDomains = Uint32Array.from({ length: windows }, (_, w) => (w % 7 === 6 ? 19 : w % 7));
    const state = randomValues(8, 2);
    const gateCount = 11;
    const variables = randomValues(gateCount + 8, 3);
    const ringSlot = 2;
    const inputs = stepInputs({ step: 4321, ringSlot, learningRate: 0.25 });
    const before = randomValues(4 * STEP_METRICS_WORDS, 4);
    const divergencesSlice = await upload(divergences);
    const [lossesSlice, domainsSlice, gradientState, ring, step, stateSlice, variablesSlice] = [
      await upload(losses),
      await uploadWords(windowDomains),
      await upload([7.5, 0.125, 0, 0]),
      await upload(before),
      await uploadStep(inputs),
      await upload(state),
      await upload(variables),
    ];
    await runOnce((r) =>
      stepMetrics(r, {
        losses: lossesSlice,
        ...(teacher && { divergences: divergencesSlice }),
        windowDomains: domainsSlice,
        windows,
        windowLength,
        predictionsPerWindow: windowLength - 1,
        gradientState,
        ...(pruning && { constraint: { state: stateSlice, variables: variablesSlice, gateCount } }),
        ring,
        step,
        label: 'test',
      }),
    );
    const words = await download(ring);
    const first = ringSlot * STEP_METRICS_WORDS;
    const end = first + STEP_METRICS_WORDS;
    expect([...words.subarray(0, first)]).toEqual([...before.subarray(0, first)]);
    expect([...words.subarray(end)]).toEqual([...before.subarray(end)]);

    const metrics = decodeStepMetrics(words.subarray(first, end));
    const expected = windowMeans(losses, windowDomains, windowLength, windowLength - 1);
    expect(metrics).toMatchObject({
      step: 4321,
      gradientNorm: 7.5,
      nonFinite: false,
      learningRate: 0.25,
      clipScale: 0.125,
    });
    // Sums of positive terms: (T / 16 + 16·B) roundings of 2⁻²⁴ at most.
    const tolerance = { atol: 0, rtol: (windowLength / 16 + 16 * windows) * 6e-8 };
    expectClose([metrics.meanLoss], [expected.meanLoss], tolerance);
    expectClose(
      metrics.domains.map((d) => d.meanLoss),
      expected.domains.map((d) => d.meanLoss),
      tolerance,
    );
    expect(metrics.domains.map((d) => d.windows)).toEqual(expected.domains.map((d) => d.windows));
    const unused = words.subarray(first + (teacher ? 58 : 56), end);
    expect([...unused]).toEqual([...new Float32Array(unused.length)]);
    if (teacher) {
      const { meanLoss } = windowMeans(divergences, windowDomains, windowLength, windowLength - 1);
      // A thread's share and the tree's eight levels.
      const roundings = (windows * windowLength) / 256 + 8;
      expectClose([metrics.divergence!], [meanLoss], { atol: 0, rtol: (roundings + 1) * 6e-8 });
    } else {
      expect(metrics.divergence).toBeNull();
    }

    if (!pruning) {
      expect(metrics.constraint).toBeNull();
      return;
    }
    const sets = (from: ArrayLike<number>, at: number) =>
      Array.from({ length: 4 }, (_, k) => Math.fround(from[at + k]!));
    expect(metrics.constraint).toMatchObject({
      expectedSparsity: sets(state, 0),
      targetSparsity: sets(inputs.targetSparsity, 0),
      lambda1: sets(variables, gateCount),
      lambda2: sets(variables, gateCount + 4),
    });
    expect(metrics.constraint?.lagrangian).toBeCloseTo(
      [...state.subarray(4)].reduce((a, b) => a + b),
      6,
    );
  });
});
