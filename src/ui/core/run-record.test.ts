import { describe, expect, it } from 'vitest';
import type { FinishedEvent, SurgeryEvent } from '../../run/events';
import { exampleConfig, exampleEvaluation, exampleStarted, exampleStep } from './example-run';
import {
  achievedShape,
  appendEvents,
  beginRun,
  describeShape,
  latestLoss,
  millisecondsPerStep,
  plannedSteps,
} from './run-record';
import { seedSpread } from './seed-spread';

const target = { numHiddenLayers: 1, hiddenSize: 6, numAttentionHeads: 2, intermediateSize: 4 };
const surgery: SurgeryEvent = {
  type: 'surgery',
  step: 30,
  elapsedMs: 1500,
  config: { ...exampleConfig, ...target },
  parameters: 400,
  kept: { hidden: [0], layers: [0], heads: [[0]], intermediate: [[0]] },
  maskedVersusPruned: 1e-6,
  loss: { masked: [5, 5], pruned: [4, 4] },
};
const finished = (retrained: number[] | null): FinishedEvent => ({
  type: 'finished',
  step: 50,
  tokens: 5000,
  elapsedMs: 2500,
  summary: {
    target,
    achieved: target,
    parameters: { source: 1000, pruned: 400 },
    domains: ['books', 'code'],
    loss: { source: [3, 2], masked: [5, 5], pruned: [4, 4], retrained },
    maskedVersusPruned: 1e-6,
    mixture: [0.5, 0.5],
    tokens: 5000,
  },
});

describe('run record', () => {
  it('names the newest loss by the model that it belongs to', () => {
    const begun = beginRun(1, exampleStarted());
    expect(latestLoss(begun)).toBeNull();
    const masked = appendEvents(begun, [exampleEvaluation(20, [6, 6], [1, 0])]);
    expect(latestLoss(masked)).toEqual({ which: 'masked', loss: [6, 6] });
    const cut = appendEvents(masked, [surgery]);
    expect(latestLoss(cut)).toEqual({ which: 'pruned', loss: [4, 4] });
    const retrained = appendEvents(cut, [exampleEvaluation(40, [3.5, 3.5], [1, 0])]);
    expect(latestLoss(retrained)).toEqual({ which: 'pruned', loss: [3.5, 3.5] });
    expect(latestLoss(appendEvents(cut, [finished(null)]))?.loss).toEqual([4, 4]);
  });

  it('knows the achieved shape from the cut on', () => {
    const begun = beginRun(1, exampleStarted());
    expect(achievedShape(begun)).toBeNull();
    const shape = achievedShape(appendEvents(begun, [surgery]));
    expect(shape && describeShape(shape)).toBe('1 layer · hidden 6 · 2 heads · MLP 4');
  });

  it('measures a step by the median of the last ones', () => {
    const steps = Array.from({ length: 10 }, (_, i) => exampleStep(i + 1));
    steps[5] = { ...steps[5]!, elapsedMs: steps[5]!.elapsedMs + 20 };
    expect(millisecondsPerStep(appendEvents(beginRun(1, exampleStarted()), steps))).toBe(50);
    expect(millisecondsPerStep(beginRun(1, exampleStarted()))).toBeNull();
  });

  it('plans no retraining steps where there is none', () => {
    const { experiment } = exampleStarted();
    expect(plannedSteps(experiment)).toBe(50);
    expect(plannedSteps({ ...experiment, retraining: 'none' })).toBe(30);
  });
});

describe('seed spread', () => {
  const run = (id: number, seed: number, loss: number) =>
    appendEvents(beginRun(id, exampleStarted(seed)), [surgery, finished([loss, loss])]);

  it('compares finished runs that differ in the seed alone', () => {
    const unfinished = beginRun(4, exampleStarted(99));
    const [spread, ...more] = seedSpread([
      run(1, 1, Math.log(10)),
      run(2, 2, Math.log(14)),
      run(3, 2, Math.log(14)),
      unfinished,
    ]);
    expect(more).toEqual([]);
    expect(spread?.mean).toBeCloseTo(12, 9);
    expect(spread?.deviation).toBeCloseTo(Math.SQRT2 * 2, 9);
    expect(spread?.runs).toBe(2);
  });

  it('says nothing of one seed', () => {
    expect(seedSpread([run(1, 1, 3), run(2, 1, 3)])).toEqual([]);
  });
});
