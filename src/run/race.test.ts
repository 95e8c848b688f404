import { describe, expect, it, test } from 'vitest';
import type { Experiment } from '../experiment/schema';
import { testGpu } from '../kernels/testing';
import { shapeOf } from '../llama/config';
import type { RaceEvent, RunEvent } from './events';
import { cancelAt, goOn, KEPT_EXPERIMENT, outcome, run, type Hand } from './kept-run.testing';
import { estimateRunMemory } from './memory';
import { neededTokens, raceTokens, runSteps, runTokens } from './run-size';
import { scratchExperiment } from './scratch-experiment';
import { toySource } from './testing';

const experiment: Experiment = {
  ...KEPT_EXPERIMENT,
  method: 'one-shot',
  calibration: { sequences: 12, length: 8, mixture: 'corpus', seed: 1 },
  retrain: { ...KEPT_EXPERIMENT.retrain, steps: 12, learningRate: 0.02 },
  race: { candidates: 4, steps: 6, rounds: 3 },
};
const planOf = (of: Experiment) => ({ experiment: of, interventions: [] });
const logOf = async (of: Experiment) => (await outcome((await run(planOf(of))).id)).log as RunEvent[];
const judgements = (log: object[]) => (log as RunEvent[]).filter((event) => event.type === 'race');
const winner = (races: readonly RaceEvent[]) => races.findLast(({ goesOn }) => goesOn)!;
const stepsOf = (log: object[]) => (log as RunEvent[]).filter((event) => event.type === 'step');
/** 4 candidates for 2 steps, then 2 for 2 and 2 more. */
const TRAINED = 4 * 2 + 2 * 2 + 2 * 2;
const cancelInRace =
  (round: number): Hand =>
  (event, control) => {
    if (event.type === 'race' && event.round === round) control.cancel();
  };

describe('a race for the mask', () => {
  it('halves its candidates, counts their tokens, and leaves the target’s shape', async () => {
    const { log, models } = await outcome((await run(planOf(experiment))).id);
    const races = judgements(log);
    expect(races.map(({ round, steps }) => [round, steps])).toEqual([
      ...Array<number[]>(4).fill([1, 2]),
      ...Array<number[]>(2).fill([2, 4]),
      ...Array<number[]>(2).fill([3, 6]),
    ]);
    const [first, second, third] = [1, 2, 3].map((round) => races.filter((race) => race.round === round));
    expect(first!.map(({ candidate }) => candidate)).toEqual([1, 2, 3, 4]);
    for (const [round, next] of [
      [first!, second!],
      [second!, third!],
    ] as const) {
      const better = [...round].sort((a, b) => a.meanLoss - b.meanLoss).slice(0, 2);
      expect(new Set(next.map(({ candidate }) => candidate))).toEqual(
        new Set(better.map(({ candidate }) => candidate)),
      );
      for (const race of round) expect(race.goesOn).toBe(better.includes(race));
    }
    const best = winner(third!);
    expect(third!.filter(({ goesOn }) => goesOn)).toEqual([best]);
    expect(best.meanLoss).toBe(Math.min(...third!.map(({ meanLoss }) => meanLoss)));
    // The toy's domains weigh alike.
    expect(best.meanLoss).toBeCloseTo(best.loss.reduce((a, b) => a + b, 0) / 3, 4);

    const surgery = (log as RunEvent[]).find((event) => event.type === 'surgery')!;
    expect(surgery).toMatchObject({ step: 0, kept: { layers: best.layers } });
    expect(shapeOf(models.retrained!.config)).toEqual(experiment.target);
    const tokensAStep = 2 * 8;
    expect(races.map(({ step, tokens }) => [step, tokens / tokensAStep])).toEqual(
      [2, 4, 6, 8, 10, 12, 14, TRAINED].map((steps) => [0, steps]),
    );
    expect(stepsOf(log).map(({ step, tokens }) => [step, tokens / tokensAStep])).toEqual(
      Array.from({ length: 12 }, (_, i) => [i + 1, TRAINED + i + 1]),
    );
    expect(raceTokens(experiment)).toBe(TRAINED * tokensAStep);
    expect(runTokens(experiment)).toBe((TRAINED + 12) * tokensAStep);
    expect(runSteps(experiment)).toBe(12);
    expect(neededTokens(experiment)).toBe(12 * tokensAStep);
    // The control from scratch reads as much.
    expect(scratchExperiment(experiment).retrain.steps).toBe(TRAINED + 12);
  });

  it('finds what training every candidate alone finds, and carries each on with the same bits', async () => {
    const halved = judgements(await logOf(experiment));
    const alone = judgements(await logOf({ ...experiment, race: { ...experiment.race, rounds: 1 } }));
    expect(alone.map(({ steps, candidate }) => [steps, candidate])).toEqual([1, 2, 3, 4].map((c) => [6, c]));
    const lossOf = (races: RaceEvent[], candidate: number) =>
      races.findLast((race) => race.candidate === candidate)!.loss;
    for (const { candidate } of halved.slice(-2)) {
      expect(lossOf(halved, candidate)).toEqual(lossOf(alone, candidate));
    }
    const best = [...alone].sort((a, b) => a.meanLoss - b.meanLoss)[0]!;
    expect(winner(halved).candidate).toBe(best.candidate);
    expect(new Set(alone.map(({ meanLoss }) => meanLoss)).size).toBe(4);
  });

  it('decides the mask and nothing else: without it the same mask gives the same weights', async () => {
    const { numHiddenLayers } = experiment.target;
    const layersOnly = {
      ...experiment,
      target: { ...shapeOf(toySource().config), numHiddenLayers },
      race: { ...experiment.race, candidates: 3 },
    };
    const raced = await outcome((await run(planOf(layersOnly))).id);
    const kept = winner(judgements(raced.log)).layers;
    const pins = [0, 1, 2].map((l) => `l${l}${kept.includes(l) ? '!' : '-'}`);
    const pinned = { ...layersOnly, pins, race: { ...experiment.race, candidates: 1 } };
    const plain = await outcome((await run(planOf(pinned))).id);
    expect(judgements(plain.log)).toEqual([]);
    expect(plain.models).toEqual(raced.models);
    // Only its own scores' choice could have won without a race; here it does not, or the test shows little.
    expect(new Set(judgements(raced.log).map(({ layers }) => layers.join())).size).toBe(3);
  });

  it('says so when there are fewer masks than candidates', async () => {
    const { numHiddenLayers } = experiment.target;
    const target = { ...shapeOf(toySource().config), numHiddenLayers };
    await expect(run(planOf({ ...experiment, target }))).rejects.toThrow(
      /^Candidates \(race\.candidates\) is 4, .* give 3 different masks/,
    );
  });

  it('holds on the GPU what was estimated, and gives it back', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const wide = { ...experiment, retrain: { ...experiment.retrain, batchSize: 32 } };
    const distillation = { weight: 1, temperature: 1, pruning: true };
    for (const of of [wide, { ...wide, distillation, basis: 'sensitive' as const }]) {
      let held = 0;
      const activity = () => void (held = Math.max(held, gpu.heldBytes() - before));
      await run(planOf(of), cancelInRace(1), { activity });
      expect(held).toBeLessThan(estimateRunMemory(toySource().config, of).pruning + 256 * 200);
      // Without the race the estimate would be too small.
      const without = { ...of, race: { ...of.race, candidates: 1 } };
      expect(held).toBeGreaterThan(estimateRunMemory(toySource().config, without).pruning);
      expect(gpu.heldBytes()).toBe(before);
    }
  });
});

describe('a race that is interrupted', () => {
  const gradual = { ...experiment, scores: { ...experiment.scores, steps: 10 } };

  test.each([1, 2, 3])('begins again after round %i, with the same log and weights', async (round) => {
    const straight = await outcome((await run(planOf(experiment))).id);
    const { id } = await run(planOf(experiment), cancelInRace(round));
    await goOn(id);
    expect(await outcome(id)).toEqual(straight);
  });

  it('does not race again once it is decided', async () => {
    const of = {
      ...gradual,
      basis: 'principal' as const,
      distillation: { weight: 1, temperature: 1, pruning: true },
    };
    const straight = await outcome((await run(planOf(of))).id);
    const { id } = await run(planOf(of), cancelAt(2));
    const seen: string[] = [];
    await goOn(id, (event, control) => {
      seen.push(event.type);
      if (event.type === 'step' && event.step === 14) control.cancel();
    });
    expect(seen).not.toContain('race');
    await goOn(id);
    expect(await outcome(id)).toEqual(straight);
    expect(judgements(straight.log)).toHaveLength(8);
  });

  it('is held by a pause, and leaves changes for the stage that follows', async () => {
    const { id } = await run(planOf(experiment), (event, control) => {
      if (event.type !== 'race' || event.round !== 1 || event.candidate !== 1) return;
      control.change({ 'retrain.steps': 8 });
      control.pause();
    });
    const { log } = await outcome(id);
    const changeAt = log.findIndex((event) => (event as RunEvent).type === 'intervention');
    expect(log[changeAt]).toMatchObject({ step: 0, changes: { 'retrain.steps': 8 } });
    expect(judgements(log.slice(changeAt))).toEqual([]);
    expect(judgements(log)).toEqual(judgements(await logOf(experiment)));
    expect(stepsOf(log)).toHaveLength(8);
  });
});
