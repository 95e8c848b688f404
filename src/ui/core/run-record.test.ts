import { describe, expect, it } from 'vitest';
import type { FinishedEvent, RaceEvent, SurgeryEvent } from '../../run/events';
import {
  exampleConfig,
  exampleEvaluation,
  exampleKept,
  exampleRuns,
  exampleStarted,
  exampleStep,
} from './example-run';
import { readKept } from './kept-runs';
import {
  achievedShape,
  appendEvents,
  beginRun,
  describeShape,
  latestLoss,
  millisecondsPerStep,
  plannedSteps,
  planOf,
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
    const begun = beginRun('1', exampleStarted());
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
    const begun = beginRun('1', exampleStarted());
    expect(achievedShape(begun)).toBeNull();
    const shape = achievedShape(appendEvents(begun, [surgery]));
    expect(shape && describeShape(shape)).toBe('1 layer · hidden 6 · 2 heads · MLP 4');
  });

  it('lists the judgements of a race', () => {
    const race = (candidate: number): RaceEvent => ({
      type: 'race',
      step: 0,
      tokens: 64 * candidate,
      elapsedMs: 5,
      round: 1,
      candidate,
      label: 'Magnitude · Wanda-sp',
      layers: [0],
      steps: 4,
      loss: [3, 2],
      meanLoss: 2.5,
      goesOn: candidate === 1,
    });
    const run = beginRun('run-1', exampleStarted());
    expect(run.race).toEqual([]);
    expect(appendEvents(appendEvents(run, [race(1)]), [race(2)]).race).toEqual([race(1), race(2)]);
  });

  it('measures a step by the median of the last ones', () => {
    const steps = Array.from({ length: 10 }, (_, i) => exampleStep(i + 1));
    steps[5] = { ...steps[5]!, elapsedMs: steps[5]!.elapsedMs + 20 };
    expect(millisecondsPerStep(appendEvents(beginRun('1', exampleStarted()), steps))).toBe(50);
    expect(millisecondsPerStep(beginRun('1', exampleStarted()))).toBeNull();
  });

  it('knows the settings of its newest step, and the plan that it follows', () => {
    const change = {
      type: 'intervention',
      step: 10,
      tokens: 1000,
      elapsedMs: 500,
      changes: { 'target.hiddenSize': 7 },
      before: { 'target.hiddenSize': 6 },
    } as const;
    const begun = beginRun('1', exampleStarted());
    const run = appendEvents(begun, [...[1, 2, 3].map((step) => exampleStep(step)), change]);
    expect(run.settings.target.hiddenSize).toBe(7);
    expect(run.started.experiment.target.hiddenSize).toBe(48);
    const late = { at: 40, changes: { clipNorm: 2 } };
    expect(planOf(run, [{ at: 2, changes: { clipNorm: 3 } }, late]).interventions).toEqual([
      { at: 10, changes: change.changes },
      late,
    ]);
  });

  it('is not finished any more when it trains on', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), [surgery, exampleStep(50), finished([1, 1])]);
    expect(run.finished).not.toBeNull();
    expect(appendEvents(run, [exampleStep(51)]).finished).toBeNull();
  });

  it('plans no retraining steps where there is none', () => {
    const { experiment } = exampleStarted();
    expect(plannedSteps(experiment)).toBe(50);
    expect(plannedSteps({ ...experiment, retraining: 'none' })).toBe(30);
  });
});

describe('seed spread', () => {
  const runs = (...given: [id: string, seed: number, loss: number, status?: 'running'][]) => {
    const list = given.map(([id, seed, meanLoss, status]) =>
      exampleKept(id, {
        seed,
        meanLoss,
        status: status ?? 'finished',
        experiment: exampleStarted(seed).experiment,
      }),
    );
    return readKept(exampleRuns(...list), null).runs;
  };

  it('compares finished runs that differ in the seed alone', () => {
    const [spread, ...more] = seedSpread(
      runs(['a', 1, Math.log(10)], ['b', 2, Math.log(14)], ['c', 2, Math.log(14)], ['d', 99, 3, 'running']),
    );
    expect(more).toEqual([]);
    expect(spread?.mean).toBeCloseTo(12, 9);
    expect(spread?.deviation).toBeCloseTo(Math.SQRT2 * 2, 9);
    expect(spread?.runs).toBe(2);
  });

  it('says nothing of one seed', () => {
    expect(seedSpread(runs(['a', 1, 3], ['b', 1, 3]))).toEqual([]);
  });
});
