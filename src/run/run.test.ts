import { describe, expect, it } from 'vitest';
import { overflowingParameters } from '../llama/testing';
import { updateMixture } from '../data/mixture';
import { testGpu } from '../kernels/testing';
import { prunedConfig, shapeOf } from '../llama/config';
import { parameterCount } from '../pruning/cost';
import { createRunControl, isCancellation } from './run-control';
import type { RunEvent } from './events';
import { estimateRunMemory } from './memory';
import { finalModel, runExperiment } from './run';
import type { RunContext } from './run-context';
import { experimentSchema } from '../experiment/schema';
import { toyCorpus, toySource } from './testing';

const experiment = experimentSchema.parse({
  target: { numHiddenLayers: 2, hiddenSize: 10, numAttentionHeads: 2, intermediateSize: 13 },
  prune: { steps: 8, batchSize: 2 },
  retrain: { steps: 4, batchSize: 2 },
  contextLength: 8,
  evaluation: { interval: 4, windows: 3 },
});

async function run(changes: Partial<RunContext> = {}, of = experiment) {
  const events: RunEvent[] = [];
  const gpu = await testGpu();
  const models = await runExperiment(
    { experiment: of, interventions: [] },
    {
      gpu,
      source: toySource(),
      corpus: toyCorpus(),
      control: createRunControl(),
      version: 'test',
      emit: (event) => events.push(event),
      activity: () => undefined,
      ...changes,
    },
  );
  return { events, models, pruned: finalModel(models) };
}

const withoutTimes = (events: RunEvent[]) => events.map((event) => ({ ...event, elapsedMs: 0 }));

describe('a run', () => {
  it('prunes to exactly the target, retrains, and tells the whole story in order', async () => {
    const { events, pruned } = await run();
    expect(shapeOf(pruned.config)).toEqual(experiment.target);
    const kinds = events.map((e) => e.type);
    expect(kinds[0]).toBe('started');
    expect(kinds.at(-1)).toBe('finished');
    expect(events.filter((e) => e.type === 'step').map((e) => e.step)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const surgery = events.find((e) => e.type === 'surgery')!;
    expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
    surgery.loss.masked.forEach((loss, i) =>
      expect(Math.abs(loss - surgery.loss.pruned[i]!)).toBeLessThan(1e-4),
    );
    const finished = events.at(-1)!;
    if (finished.type !== 'finished') throw new Error('unreachable');
    expect(finished.summary.achieved).toEqual(experiment.target);
    expect(finished.summary.tokens).toBe(12 * 2 * 8);
  });

  it('ends before the first step when the source model’s losses are not finite', async () => {
    const source = toySource();
    const events: RunEvent[] = [];
    const broken = { ...source, parameters: overflowingParameters(source.config) };
    await expect(run({ source: broken, emit: (event) => events.push(event) })).rejects.toThrow(
      'Before the first step: the loss on language-0 (source model) is NaN, not a finite number.',
    );
    expect(events).toEqual([]);
  });

  it('ends with the step at which training broke down, and has told of those before it', async () => {
    const events: RunEvent[] = [];
    const wild = { ...experiment, prune: { ...experiment.prune, learningRate: 1e30, learningRateWarmup: 0 } };
    await expect(run({ emit: (event) => events.push(event) }, wild)).rejects.toThrow(
      /^Stage prune, step \d+: the training loss on language-\d is (NaN|-?Infinity), not a finite number\. Lower the learning rate/,
    );
    expect(events.map(({ type }) => type)).toContain('step');
    for (const event of events) if (event.type === 'step') expect(event.loss).toBeLessThan(Infinity);
  });

  it('moves the mixture with dynamic loading and leaves it alone without', async () => {
    const mixtures = (events: RunEvent[]) =>
      events.flatMap((e) => (e.type === 'evaluation' || e.type === 'started' ? [e.mixture] : []));
    const moving = mixtures((await run()).events);
    expect(moving[1]).not.toEqual(moving[0]);
    for (const mixture of moving) expect(mixture.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const constant = { ...experiment, mixture: { ...experiment.mixture, mode: 'constant' as const } };
    const still = mixtures((await run({}, constant)).events);
    expect(still.every((m) => m.every((w, i) => w === still[0]![i]))).toBe(true);
  });

  it('compares with the family’s scaling law where the experiment asks for it', async () => {
    const domains = toyCorpus().domains.map(({ name }) => name);
    const source = toySource();
    const size = parameterCount(source.config);
    const family = [0.5, 1, 2].map((share) => ({
      name: share === 1 ? source.name : `toy-${share}`,
      parameters: size * share,
      tokens_trained: 0,
      context: 8,
      weights_sha256: share === 1 ? source.weightsSha256! : `other ${share}`,
      validation_loss: Object.fromEntries(domains.map((name, i) => [name, 3 + (i + 1) / share])),
    }));
    const scaled = { ...experiment.mixture, referenceLosses: 'scaling-law' as const, clamp: false };
    const { events } = await run({ family }, { ...experiment, mixture: scaled });
    const [started, first] = [events[0]!, events.find((e) => e.type === 'evaluation')!];
    if (started.type !== 'started' || !started.scalingLaw) throw new Error('no scaling law in the log');
    const { referenceLoss, mixture, scalingLaw } = started;
    expect(scalingLaw.parameters).toBe(parameterCount(prunedConfig(source.config, experiment.target)));
    scalingLaw.loss.forEach((loss, i) => expect(loss).toBeGreaterThan(referenceLoss[i]!));
    expect(first.mixture).toEqual(
      updateMixture({ ...scaled, weights: mixture, loss: first.loss, reference: scalingLaw.loss }),
    );
    await expect(run({}, { ...experiment, mixture: scaled })).rejects.toThrow(/mixture\.referenceLosses/);
  });

  it('gives identical metrics and weights when it is run twice', async () => {
    const first = await run();
    const second = await run();
    expect(withoutTimes(second.events)).toEqual(withoutTimes(first.events));
    expect(second.pruned.parameters).toEqual(first.pruned.parameters);
  });

  it('holds what was estimated, and nothing after it has ended or was cancelled', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    let held = 0;
    await run({
      emit: () => (held = Math.max(held, gpu.heldBytes() - before)),
      activity: () => (held = Math.max(held, gpu.heldBytes() - before)),
    });
    expect(gpu.heldBytes()).toBe(before);
    // The rest is the programs' uniforms, 256 bytes a dispatch: much for a toy, little for a model.
    const estimate = estimateRunMemory(toySource().config, experiment);
    const most = Math.max(estimate.pruning, estimate.retraining);
    expect(held).toBeGreaterThanOrEqual(most);
    expect(held - most).toBeLessThan(256 * 200);

    const control = createRunControl();
    const cancelled = run({
      control,
      emit: (event) => {
        if (event.type === 'step' && event.step === 2) control.cancel();
      },
    });
    await expect(cancelled).rejects.toSatisfy(isCancellation);
    expect(gpu.heldBytes()).toBe(before);
  });

  it('refuses what does not fit, in one sentence that names the field', async () => {
    const refusal = (changes: object) => run({}, { ...experiment, ...changes });
    await expect(refusal({ target: { ...experiment.target, hiddenSize: 17 } })).rejects.toThrow(/idden/);
    await expect(refusal({ contextLength: 64 })).rejects.toThrow(/contextLength/);
    await expect(
      refusal({ mixture: { ...experiment.mixture, mode: 'manual', weights: [1, 2] } }),
    ).rejects.toThrow(/weights/);
  });
});
