import { describe, expect, it } from 'vitest';
import { testGpu } from '../kernels/testing';
import { shapeOf } from '../llama/config';
import { createRunControl, isCancellation } from './run-control';
import type { EvaluationEvent, RunEvent } from './events';
import { trainFromScratch, trainSourceOn } from './from-scratch';
import type { RunContext } from './run-context';
import { runTokens } from './run-size';
import { experimentSchema } from '../experiment/schema';
import { rewarmedExperiment, scratchExperiment } from './scratch-experiment';
import { toyCorpus, toySource } from './testing';

const experiment = experimentSchema.parse({
  target: { numHiddenLayers: 2, hiddenSize: 10, numAttentionHeads: 2, intermediateSize: 13 },
  prune: { steps: 30, batchSize: 4 },
  retrain: { steps: 25, batchSize: 8 },
  contextLength: 8,
  evaluation: { interval: 10, windows: 3 },
});

async function train(changes: Partial<RunContext> = {}, of = experiment, control = trainFromScratch) {
  const events: RunEvent[] = [];
  const model = await control(of, {
    gpu: await testGpu(),
    source: toySource(),
    corpus: toyCorpus(),
    control: createRunControl(),
    version: 'test',
    emit: (event) => events.push(event),
    activity: () => undefined,
    ...changes,
  });
  return { model, events };
}

describe('the control from scratch', () => {
  it('reads as many tokens as pruning and retraining together, in batches of the last stage', () => {
    const control = scratchExperiment(experiment);
    expect(control.retrain.batchSize).toBe(8);
    expect(control.retrain.steps * 8).toBe(30 * 4 + 25 * 8);
    expect(control.mixture).toEqual(experiment.mixture);
    const cutOnly = scratchExperiment({ ...experiment, retraining: 'none' });
    expect([cutOnly.retrain.steps, cutOnly.retrain.batchSize]).toEqual([30, 4]);
  });

  it('learns, at the target shape, and moves its mixture', async () => {
    const longer = { ...experiment, retrain: { ...experiment.retrain, steps: 185 } };
    const { model, events } = await train({}, longer);
    expect(shapeOf(model.config)).toEqual(experiment.target);
    expect(events.findLast((e) => e.type === 'step')?.tokens).toBe(runTokens(longer));
    const evaluations = events.filter((e): e is EvaluationEvent => e.type === 'evaluation');
    const [first, last] = [evaluations[0]!, evaluations.at(-1)!];
    // Untrained, every token is as likely as any other: ln 32. So small a model gains 0.6 nats here in 200 steps.
    for (const loss of first.loss) expect(Math.abs(loss - Math.log(32))).toBeLessThan(0.05);
    expect(last.loss[0]!).toBeLessThan(Math.log(32) - 0.4);
    expect(last.mixture).not.toEqual(first.mixture);
  });

  it('is the same for the same seed, and gives everything back', async () => {
    const gpu = await testGpu();
    const held = gpu.heldBytes();
    const [once, again] = [await train(), await train()];
    expect(again.model.parameters).toEqual(once.model.parameters);
    const other = await train({}, { ...experiment, seed: 18 });
    expect(other.model.parameters).not.toEqual(once.model.parameters);
    expect(gpu.heldBytes()).toBe(held);
  });

  it('stops when it is cancelled, and gives everything back', async () => {
    const gpu = await testGpu();
    const held = gpu.heldBytes();
    const control = createRunControl();
    const emit = (event: RunEvent) => event.type === 'step' && event.step === 12 && control.cancel();
    await expect(train({ control, emit })).rejects.toSatisfy(isCancellation);
    expect(gpu.heldBytes()).toBe(held);
  });
});

describe('the source, trained on as long', () => {
  it('has its own shape, the rates of retraining and the tokens of the whole run, and no teacher', async () => {
    const distilled = { ...experiment, distillation: { weight: 1, temperature: 1, pruning: true } };
    const { retrain, distillation } = rewarmedExperiment(distilled);
    expect(retrain).toEqual({ ...experiment.retrain, steps: 40 });
    expect(distillation.weight).toBe(0);
    const { model, events } = await train({}, distilled, trainSourceOn);
    expect(model.config).toEqual(toySource().config);
    expect(model.parameters).not.toEqual(toySource().parameters);
    const steps = events.filter((event) => event.type === 'step');
    expect(steps.at(-1)).toMatchObject({ tokens: runTokens(experiment) });
    expect(steps.every((step) => step.divergence === undefined)).toBe(true);
  });
});
