import { describe, expect, it } from 'vitest';
import type { Experiment } from '../experiment/schema';
import { testGpu } from '../kernels/testing';
import type { RunEvent } from './events';
import { cancelAt, goOn, KEPT_EXPERIMENT, outcome, run } from './kept-run.testing';
import { estimateRunMemory } from './memory';
import { toySource } from './testing';

const lora = { rank: 2, alpha: 4, dropout: 0.25, attention: true, mlp: true, share: 0.5 };
const experiment: Experiment = {
  ...KEPT_EXPERIMENT,
  method: 'one-shot',
  calibration: { sequences: 8, length: 8, mixture: 'corpus', seed: 1 },
  retraining: 'lora',
  lora,
  retrain: { ...KEPT_EXPERIMENT.retrain, steps: 20, learningRate: 0.02 },
};
const both: Experiment = { ...experiment, retraining: 'continued-lora' };
const planOf = (of: Experiment) => ({ experiment: of, interventions: [] });
const events = (log: object[]) => log as RunEvent[];

describe('adapters after the cut', () => {
  it('change what the experiment lets them change, and nothing else', async () => {
    const { models } = await outcome(
      (await run(planOf({ ...experiment, lora: { ...lora, mlp: false } }))).id,
    );
    const [before, after] = [models.pruned!, models.retrained!];
    expect(after.config).toEqual(before.config);
    const changed = before.parameters.map((value, i) => (value === after.parameters[i] ? 0 : 1));
    // Of each of two layers: q, k, v (16 rows of 10) and the output projection (10 rows of 8).
    expect(changed.reduce((a, b) => a + b, 0)).toBe(2 * (16 * 10 + 10 * 8));
  });

  it('lower the held-out loss, also behind continued pretraining', async () => {
    for (const of of [experiment, both]) {
      const { log } = await outcome((await run(planOf(of))).id);
      const losses = events(log).flatMap((event) =>
        event.type === 'evaluation' && event.stage === 'retrain' ? [event.loss[0]!] : [],
      );
      // After the cut, every seven steps, and after the last; of two phases each has its own last.
      expect(losses).toHaveLength(of === both ? 5 : 4);
      expect(losses.at(-1)).toBeLessThan(losses[0]!);
      expect(events(log).filter((event) => event.type === 'step')).toHaveLength(20);
    }
  });

  it.each([4, 9, 10, 11, 17, 20])('killed at step %i give the same metrics and weights', async (step) => {
    for (const of of [experiment, both]) {
      const straight = await outcome((await run(planOf(of))).id);
      const { id } = await run(planOf(of), cancelAt(step));
      await goOn(id);
      expect(await outcome(id)).toEqual(straight);
    }
  });

  it('train on after the end, where more steps are asked for', async () => {
    const { id } = await run(planOf(both));
    await goOn(id, undefined, { 'retrain.steps': 26 });
    const { log } = await outcome(id);
    expect(events(log).filter((event) => event.type === 'step')).toHaveLength(26);
  });

  it('hold on the GPU what was estimated', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    for (const of of [
      experiment,
      both,
      { ...both, distillation: { weight: 1, temperature: 1, pruning: true } },
    ]) {
      let held = 0;
      await run(planOf(of), (event) => {
        if (event.type === 'step') held = Math.max(held, gpu.heldBytes() - before);
      });
      const { retraining } = estimateRunMemory(toySource().config, of);
      expect(held).toBeGreaterThanOrEqual(retraining);
      // The rest is the programs' uniforms, 256 bytes a dispatch; adapters have many.
      expect(held - retraining).toBeLessThan(256 * 500);
    }
  });

  it('leave the weights a schedule of their own, where scores close over some steps', async () => {
    const ratesOf = async (of: Experiment) =>
      events(
        (await outcome((await run(planOf({ ...of, scores: { ...of.scores, steps: 10 } }))).id)).log,
      ).flatMap((event) => (event.type === 'step' ? [event.learningRate] : []));
    const floor = 0.1 * experiment.retrain.learningRate;
    // Ten steps of closing, which end at the floor, then twenty of adapters.
    expect((await ratesOf(experiment))[9]).toBeLessThan(2 * floor);
    // Ten of closing and ten of all weights on one schedule, then ten of adapters.
    const rates = await ratesOf(both);
    rates.slice(1, 20).forEach((rate, i) => expect(rate).toBeLessThanOrEqual(rates[i]!));
    expect(rates[9]! - rates[10]!).toBeLessThan(0.1 * experiment.retrain.learningRate);
    expect(rates[19]).toBeLessThan(2 * floor);
  });

  it('are refused where they would stand nowhere', async () => {
    const of = { ...experiment, lora: { ...lora, attention: false, mlp: false } };
    // The page shows what such a form would hold before anybody starts it.
    expect(estimateRunMemory(toySource().config, of).retraining).toBe(0);
    await expect(run(planOf(of))).rejects.toThrow(/lora\.attention, lora\.mlp/);
  });
});

describe('the mixture after the cut', () => {
  it('is as pruning left it, or begins anew', async () => {
    const mixture = { ...experiment.mixture, mode: 'dynamic' as const, weights: [8, 1, 1] };
    const first = async (retraining: Experiment['mixture']['retraining'], smoothing: number) => {
      // Smoothing of all but nothing leaves the mixture where it began.
      const of = { ...experiment, mixture: { ...mixture, retraining, smoothing } };
      const { log } = await outcome((await run(planOf(of))).id);
      return events(log).find((event) => event.type === 'evaluation')!.mixture;
    };
    const [carried, uniform] = [await first('carried', 0), await first('uniform', 0)];
    expect(carried[0]! / uniform[0]!).toBeGreaterThan(1.5);
    expect(await first('corpus', 0)).toEqual(uniform);
  });
});
