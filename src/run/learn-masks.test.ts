import { describe, expect, it } from 'vitest';
import type { Plan } from '../experiment/interventions';
import type { Experiment } from '../experiment/schema';
import { plainExperiment } from '../experiment/testing';
import { testGpu } from '../kernels/testing';
import { GATE_SETS, gateLayout } from '../llama/gates';
import { parameterLayout, unpackParameters } from '../llama/parameters';
import { targetSparsities } from '../pruning/masks';
import { reachableSparsities } from '../pruning/reachable';
import type { RunEvent } from './events';
import { cancelAt, goOn, KEPT_EXPERIMENT, outcome, run } from './kept-run.testing';
import { estimateRunMemory } from './memory';
import { toySource } from './testing';

const { config } = toySource();
const base: Experiment = plainExperiment({
  ...KEPT_EXPERIMENT,
  basis: 'own',
  retraining: 'none',
  distillation: { weight: 0 },
  prune: {
    ...KEPT_EXPERIMENT.prune,
    warmStart: false,
    reachable: false,
    foldAtOne: false,
    gateLearningRate: 0.5,
    multiplierLearningRate: 0.2,
    learningRate: 1.5e-3,
  },
});
const withPrune = (prune: Partial<Experiment['prune']>): Experiment => ({
  ...base,
  prune: { ...base.prune, ...prune },
});
const eventsOf = async (experiment: Experiment) => {
  const { log, models } = await outcome((await run({ experiment, interventions: [] })).id);
  const events = log as RunEvent[];
  return {
    steps: events.filter((event) => event.type === 'step'),
    frames: events.filter((event) => event.type === 'gates'),
    surgery: events.find((event) => event.type === 'surgery')!,
    pruned: models.pruned!,
  };
};

describe('the reachable target', () => {
  it('is what the constraint asks for, and expected sparsity ends there', async () => {
    // A pin in one of three rows: the target is that of their mean.
    const experiment = { ...withPrune({ steps: 240, reachable: true }), pins: ['a1.0-'] };
    const { steps, surgery } = await eventsOf(experiment);
    const nominal = targetSparsities(config, experiment.target, experiment.gates);
    const reachable = reachableSparsities(config, nominal, experiment);
    for (const set of GATE_SETS) {
      expect(Math.abs(reachable[set] - nominal[set])).toBeGreaterThan(0.012);
      const { target, expected } = steps.at(-1)!.sparsity![set]!;
      expect(target).toBeCloseTo(reachable[set], 6);
      // The last step's rate is .05: a whole set moving by it at P = ½ changes its sparsity by .0125.
      expect(Math.abs(expected - target)).toBeLessThan(0.01);
    }
    expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
  });

  it('is another only where it is asked for', async () => {
    const { steps } = await eventsOf(base);
    const nominal = targetSparsities(config, base.target, base.gates);
    for (const set of GATE_SETS) expect(steps.at(-1)!.sparsity![set]!.target).toBeCloseTo(nominal[set], 6);
  });
});

describe('survivors', () => {
  it('may be folded at 1, which changes nothing before the cut', async () => {
    const [soft, hard] = [await eventsOf(base), await eventsOf(withPrune({ foldAtOne: true }))];
    expect(hard.steps).toEqual(soft.steps);
    expect(hard.surgery.kept).toEqual(soft.surgery.kept);
    expect(hard.surgery.maskedVersusPruned).toBeLessThan(1e-4);
    const tensors = ({ pruned }: typeof soft) =>
      unpackParameters(parameterLayout(pruned.config), pruned.parameters);
    const [softly, fully] = [tensors(soft), tensors(hard)];
    expect(fully.get('model.embed_tokens.weight')).toEqual(softly.get('model.embed_tokens.weight'));
    const values = soft.frames.at(-1)!.values.subarray(gateLayout(config).hidden.offset);
    const folded = soft.surgery.kept.hidden.map((unit, i) => {
      const ratio = softly.get('model.norm.weight')![i]! / fully.get('model.norm.weight')![i]!;
      // The frame has the gate's value in 255 steps.
      expect(Math.abs(ratio - values[unit]! / 255)).toBeLessThan(0.5 / 255 + 1e-6);
      return ratio;
    });
    expect(Math.min(...folded)).toBeLessThan(0.98);
  });

  it('are counted where their gates had nearly closed', async () => {
    // One step closes nothing: no gate has moved far from log α = 3, or from −2.
    const few = withPrune({ steps: 1 });
    expect((await eventsOf(few)).surgery.nearlyDead).toEqual({
      hidden: 0,
      head: 0,
      intermediate: 0,
      layer: 0,
    });
    const low = withPrune({ steps: 1, logAlpha: -2 });
    // 10 dimensions, one group of heads and 13 MLP units in each of two layers: all that stays.
    expect((await eventsOf(low)).surgery.nearlyDead).toEqual({
      hidden: 10,
      head: 2,
      intermediate: 26,
      layer: 2,
    });
    const scored = { ...low, method: 'one-shot' as const };
    expect((await eventsOf(scored)).surgery.nearlyDead).toEqual({
      hidden: 0,
      head: 0,
      intermediate: 0,
      layer: 0,
    });
  });
});

describe('a warm start', () => {
  /** After one step at rates of 0: the gates as they started, cut at the target. */
  const still = { steps: 1, gateLearningRate: 0, learningRate: 0, multiplierLearningRate: 0 };
  const calibration = { sequences: 12, length: 8, mixture: 'corpus' as const, seed: 1 };
  const scores = { ...base.scores, layers: 'magnitude' as const, widths: 'taylor' as const };
  const started = (changes: Partial<Experiment>) =>
    eventsOf({ ...withPrune({ ...still, warmStart: true }), calibration, scores, ...changes });

  it.each(['own', 'sensitive'] as const)('would cut what scores would, in the basis %s', async (basis) => {
    const pins = ['d0-', 'm1.3!'];
    const [warm, scored] = [
      await started({ basis, pins }),
      await started({ basis, pins, method: 'one-shot' }),
    ];
    expect(warm.surgery.kept).toEqual(scored.surgery.kept);
    expect(warm.surgery.nearlyDead).toEqual({ hidden: 0, head: 0, intermediate: 0, layer: 0 });
    const { offset, length } = gateLayout(config).hidden;
    const values = warm.frames.at(-1)!.values.subarray(offset, offset + length);
    // σ(0.8·2/β) = .917 is the border: 6 of 16 dimensions are to go.
    expect(values.filter((value) => value < 0.917 * 255)).toHaveLength(6);
    expect(values[0]).toBe(0);
    // Without one they start alike.
    const { frames } = await eventsOf({ ...withPrune(still), basis });
    expect(new Set(frames.at(-1)!.values).size).toBe(1);
  });

  it('leaves a unit that is let go at the experiment’s log α', async () => {
    const experiment = { ...withPrune({ ...still, steps: 3, warmStart: true }), calibration, pins: ['d0-'] };
    const evaluation = { ...experiment.evaluation, interval: 1 };
    const { id } = await run({
      experiment: { ...experiment, evaluation },
      interventions: [{ at: 1, changes: { pins: [] } }],
    });
    const log = (await outcome(id)).log as RunEvent[];
    const frames = log.filter((event) => event.type === 'gates');
    // σ(0.8·3/β) of 255.
    expect(frames.map(({ values }) => values[gateLayout(config).hidden.offset])).toEqual([0, 248, 248]);
  });

  it('holds on the GPU what was estimated', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    // Long sequences, so that calibrating takes more than training does.
    const experiment = {
      ...withPrune({ ...still, warmStart: true }),
      calibration: { ...calibration, length: 32 },
    };
    let held = 0;
    await run({ experiment, interventions: [] }, () => undefined, {
      gpu: {
        ...gpu,
        createBuffer: (...made) => {
          const buffer = gpu.createBuffer(...made);
          held = Math.max(held, gpu.heldBytes() - before);
          return buffer;
        },
      },
    });
    const [warm, cold] = [experiment, withPrune(still)].map(
      (of) => estimateRunMemory(config, of).pruning,
    ) as [number, number];
    expect(warm).toBeGreaterThan(2 * cold);
    expect(held).toBeGreaterThanOrEqual(warm);
    // The rest is the programs' uniforms, 256 bytes a dispatch, and activations' sums on their way back.
    expect(held).toBeLessThan(1.05 * warm + 256 * 200);
    expect(gpu.heldBytes()).toBe(before);
  });
});

describe('every option at once, in a turned stream and with a teacher', () => {
  const experiment: Experiment = {
    ...KEPT_EXPERIMENT,
    prune: {
      ...KEPT_EXPERIMENT.prune,
      warmStart: true,
      sharedMoments: true,
      reachable: true,
      foldAtOne: true,
    },
    basis: 'sensitive',
    distillation: { weight: 1, temperature: 1, pruning: true },
    calibration: { sequences: 12, length: 8, mixture: 'corpus', seed: 1 },
    pins: ['d3-', 'm1.3!'],
  };
  const plan: Plan = {
    experiment,
    interventions: [
      { at: 9, changes: { pins: ['m1.3!'] } },
      { at: 17, changes: { 'target.hiddenSize': 12, pins: ['m1.3!', 'a0.1-'] } },
    ],
  };

  it('cuts to the target and loses nothing at the cut, and any of them off is another run', async () => {
    const straight = await outcome((await run(plan)).id);
    const surgery = (straight.log as RunEvent[]).find((event) => event.type === 'surgery')!;
    expect(surgery.config).toMatchObject({ hiddenSize: 12, numHiddenLayers: 2, intermediateSize: 13 });
    expect(surgery.kept.intermediate[1]).toContain(3);
    expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
    for (const key of ['warmStart', 'sharedMoments', 'reachable', 'foldAtOne'] as const) {
      const without = {
        ...plan,
        experiment: { ...experiment, prune: { ...experiment.prune, [key]: false } },
      };
      const { models } = await outcome((await run(without)).id);
      expect(models.pruned!.parameters).not.toEqual(straight.models.pruned!.parameters);
    }
  });

  it.each([[3], [12, 16], [20, 29], [31]])(
    'killed at step %i gives the same metrics and weights',
    async (...steps) => {
      const straight = await outcome((await run(plan)).id);
      const { id } = await run(plan, cancelAt(steps[0]));
      for (const step of steps.slice(1)) await goOn(id, cancelAt(step));
      await goOn(id);
      expect(await outcome(id)).toEqual(straight);
    },
  );
});
