import { describe, expect, it, test } from 'vitest';
import { experimentSchema, type Experiment } from '../experiment/schema';
import { plainExperiment } from '../experiment/testing';
import { testGpu } from '../kernels/testing';
import { shapeOf } from '../llama/config';
import { layerCriteria, widthCriteria } from '../pruning/scores';
import { calibrationSequences } from './calibration';
import type { RunEvent } from './events';
import { cancelAt, goOn, KEPT_EXPERIMENT, outcome, run } from './kept-run.testing';
import { estimateRunMemory } from './memory';
import { runSteps, runTokens } from './run-size';
import { toyCorpus, toySource } from './testing';

const { basis, distillation } = plainExperiment();
const PLAIN = { basis, distillation };
const experiment: Experiment = {
  ...KEPT_EXPERIMENT,
  ...PLAIN,
  method: 'one-shot',
  calibration: { sequences: 12, length: 8, mixture: 'corpus', seed: 1 },
  retrain: { ...KEPT_EXPERIMENT.retrain, steps: 12 },
};
const gradual: Experiment = { ...experiment, scores: { ...experiment.scores, steps: 20 } };
const planOf = (of: Experiment) => ({ experiment: of, interventions: [] });
const events = (log: object[]) => log as RunEvent[];
const typesOf = (log: object[]) => [...new Set(events(log).map(({ type }) => type))];

describe('a one-shot run', () => {
  test.each(layerCriteria.map(({ id }) => id))('reaches the target with layers by %s', async (layers) => {
    const of = { ...experiment, scores: { ...experiment.scores, layers }, retraining: 'none' as const };
    const { log, models } = await outcome((await run(planOf(of))).id);
    expect(shapeOf(models.pruned!.config)).toEqual(of.target);
    expect(typesOf(log)).toEqual(['started', 'gates', 'surgery', 'finished']);
    const surgery = events(log).find((event) => event.type === 'surgery')!;
    expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
  });

  test.each(widthCriteria.map(({ id }) => id))('reaches the target with widths by %s', async (widths) => {
    const of = { ...experiment, scores: { ...experiment.scores, widths }, retraining: 'none' as const };
    const { models } = await outcome((await run(planOf(of))).id);
    expect(shapeOf(models.pruned!.config)).toEqual(of.target);
  });

  it('cuts before the first step, then retrains', async () => {
    const { log } = await outcome((await run(planOf(experiment))).id);
    expect(events(log).find((event) => event.type === 'surgery')).toMatchObject({ step: 0 });
    const steps = events(log).filter((event) => event.type === 'step');
    expect(steps.map(({ stage, step }) => [stage, step])).toEqual(
      Array.from({ length: 12 }, (_, i) => ['retrain', i + 1]),
    );
    expect([runSteps(experiment), runTokens(experiment)]).toEqual([12, 12 * 2 * 8]);
  });

  it('keeps what is pinned', async () => {
    const pins = ['l0-', 'm1.0-', 'a2.1!', 'd3!'];
    const { log } = await outcome((await run(planOf({ ...experiment, pins }))).id);
    const { kept } = events(log).find((event) => event.type === 'surgery')!;
    expect(kept.layers).toEqual([1, 2]);
    expect(kept.heads[2]).toEqual([1]);
    expect(kept.hidden).toContain(3);
    expect(kept.intermediate[1]).not.toContain(0);
  });

  it('follows what is changed before the cut, planned or while units are scored', async () => {
    const changes = { 'target.hiddenSize': 12 };
    const planned = await outcome((await run({ experiment, interventions: [{ at: 0, changes }] })).id);
    const dragged = await outcome(
      (
        await run(planOf(experiment), (event, control) => {
          if (event.type === 'started') control.change(changes);
        })
      ).id,
    );
    expect(planned.models.pruned!.config.hiddenSize).toBe(12);
    expect(dragged).toEqual(planned);
  });

  it('gives the cut model, as biases, the mean of what FLAP removes', async () => {
    const flap = { ...experiment.scores, widths: 'flap' as const };
    const lossOf = async (compensate: boolean) => {
      const of = { ...experiment, scores: { ...flap, compensate }, retraining: 'none' as const };
      const { log, models } = await outcome((await run(planOf(of))).id);
      const surgery = events(log).find((event) => event.type === 'surgery')!;
      expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
      expect(models.pruned!.config).toMatchObject({ attentionBias: compensate, mlpBias: compensate });
      return surgery.parameters;
    };
    const [plain, biased] = [await lossOf(false), await lossOf(true)];
    // q, k, v, o and gate, up, down of two layers of 2 heads of 4, 1 key/value head of 4, hidden 10, MLP 13.
    expect(biased - plain).toBe(2 * (8 + 4 + 4 + 10 + 13 + 13 + 10));
  });

  it('may turn the residual stream first, and then cuts its last axes', async () => {
    const of = { ...experiment, basis: 'sensitive' as const };
    const { log, models } = await outcome((await run(planOf(of))).id);
    expect(typesOf(log).slice(0, 3)).toEqual(['started', 'axes', 'gates']);
    const axes = events(log).find((event) => event.type === 'axes')!;
    expect(axes.shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    const surgery = events(log).find((event) => event.type === 'surgery')!;
    expect(surgery.kept.hidden).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect(models.pruned!.config.tieWordEmbeddings).toBe(false);
  });

  it('turns nothing where all hidden dimensions stay', async () => {
    const { hiddenSize } = toySource().config;
    const gates = { ...experiment.gates, hidden: false };
    const of = {
      ...experiment,
      basis: 'sensitive' as const,
      gates,
      target: { ...experiment.target, hiddenSize },
    };
    const { log, models } = await outcome((await run(planOf(of))).id);
    expect(typesOf(log)).not.toContain('axes');
    // Norms that were folded would be all ones.
    expect(models.pruned!.config.hiddenSize).toBe(hiddenSize);
  });

  it('may learn from the source, in each stage that it is asked for', async () => {
    const distilled = { weight: 0.5, temperature: 2, pruning: false };
    const stages = async (of: Experiment) =>
      new Set(
        events((await outcome((await run(planOf(of))).id)).log).flatMap((event) =>
          event.type === 'step' && event.divergence !== undefined ? [event.stage] : [],
        ),
      );
    expect(await stages(gradual)).toEqual(new Set());
    expect(await stages({ ...gradual, distillation: distilled })).toEqual(new Set(['retrain']));
    const both = { ...gradual, distillation: { ...distilled, pruning: true } };
    expect(await stages(both)).toEqual(new Set(['prune', 'retrain']));
  });

  it('holds on the GPU what was estimated', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const distillation = { weight: 1, temperature: 1, pruning: true };
    const turned = { ...gradual, basis: 'sensitive' as const, distillation };
    for (const of of [experiment, gradual, turned]) {
      let held = 0;
      await run(planOf(of), () => (held = Math.max(held, gpu.heldBytes() - before)));
      const estimate = estimateRunMemory(toySource().config, of);
      expect(held).toBeLessThan(Math.max(estimate.pruning, estimate.retraining) + 256 * 200);
      expect(gpu.heldBytes()).toBe(before);
    }
  });
});

describe('a mask that closes over some steps', () => {
  it('fades what goes, on one schedule with retraining', async () => {
    const { log, models } = await outcome((await run(planOf(gradual))).id);
    expect(shapeOf(models.retrained!.config)).toEqual(gradual.target);
    const frames = events(log).filter((event) => event.type === 'gates');
    // After 7, 14 and all of 20 steps: 1 − step/21 of 255, then nothing but what stays.
    expect(frames.map(({ values }) => Math.min(...values))).toEqual([170, 85, 12]);
    const rates = events(log).flatMap((event) => (event.type === 'step' ? [event.learningRate] : []));
    expect(rates).toHaveLength(32);
    // One warm-up and one cosine: the rate never rises again, also through the cut.
    rates.forEach((rate, i) => expect(i === 0 || rate <= rates[i - 1]!).toBe(true));
    expect(rates.at(-1)! / rates[0]!).toBeLessThan(0.12);
  });

  it.each([5, 10, 19, 20, 21, 27])('killed at step %i gives the same metrics and weights', async (step) => {
    const straight = await outcome((await run(planOf(gradual))).id);
    const { id } = await run(planOf(gradual), cancelAt(step));
    await goOn(id);
    expect(await outcome(id)).toEqual(straight);
  });

  it('so it does in a turned stream, with the source as teacher', async () => {
    const distillation = { weight: 1, temperature: 1, pruning: true };
    const plan = planOf({ ...gradual, basis: 'principal', distillation });
    const straight = await outcome((await run(plan)).id);
    const { id } = await run(plan, cancelAt(13));
    await goOn(id, cancelAt(24));
    await goOn(id);
    expect(await outcome(id)).toEqual(straight);
  });

  it('follows a target that is changed on the way', async () => {
    const { id } = await run(planOf(gradual), (event, control) => {
      if (event.type === 'step' && event.step === 9) control.change({ 'target.hiddenSize': 12 });
    });
    expect((await outcome(id)).models.pruned!.config.hiddenSize).toBe(12);
  });
});

describe('calibration sequences', () => {
  it('are training text, the same for one seed, of the mixture that is asked for', () => {
    const corpus = toyCorpus();
    const of = (calibration: object) =>
      calibrationSequences(
        experimentSchema.parse({ ...experiment, calibration: { ...experiment.calibration, ...calibration } }),
        corpus,
      );
    expect(of({})).toEqual(of({}));
    expect(of({})).not.toEqual(of({ seed: 2 }));
    expect(of({ sequences: 3 })).toEqual(of({}).slice(0, 3));
    const alone = {
      ...corpus,
      domains: corpus.domains.map((domain, i) => ({ ...domain, weight: i === 0 ? 1 : 0 })),
    };
    // The first language counts up by one.
    for (const sequence of calibrationSequences(experiment, alone)) {
      sequence.forEach((token, i) => expect(token).toBe((sequence[0]! + i) % 32));
    }
  });

  it('longer than the text are refused by name', () => {
    const of = { ...experiment, calibration: { ...experiment.calibration, length: 1501 } };
    expect(() => calibrationSequences(of, toyCorpus())).toThrow(
      /\(calibration\.length\) is 1501, but the domain language-0 has 1500 training tokens/,
    );
  });
});
