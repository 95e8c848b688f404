import { describe, expect, it } from 'vitest';
import { testGpu } from '../kernels/testing';
import { prunedConfig, type LlamaConfig } from '../llama/config';
import { forwardFlopsPerToken, trainingFlopsPerToken } from '../pruning/cost';
import { createRunControl } from '../run/run-control';
import type { RunEvent, Stage } from '../run/events';
import { trainFromScratch } from '../run/from-scratch';
import { pretrainingSpent, spentBy } from './cost';
import { runExperiment } from '../run/run';
import { plainExperiment } from '../experiment/testing';
import { toyCorpus, toySource } from '../run/testing';

const experiment = plainExperiment({
  target: { numHiddenLayers: 2, hiddenSize: 10, numAttentionHeads: 2, intermediateSize: 13 },
  prune: { steps: 7, batchSize: 2 },
  retrain: { steps: 5, batchSize: 3 },
  contextLength: 8,
  // More windows than the toy corpus has: what is counted is what there is.
  evaluation: { interval: 3, windows: 100 },
});

/** Of a stage in a log: tokens trained on, and evaluations. */
function counted(events: readonly RunEvent[], stage: Stage) {
  const steps = events.filter((e) => e.type === 'step').filter((e) => e.stage === stage);
  const evaluations = events.filter((e) => e.type === 'evaluation').filter((e) => e.stage === stage);
  const before = steps[0]!.step - 1;
  const tokensBefore = events.find((e) => e.type === 'step' && e.step === before);
  const start = tokensBefore?.type === 'step' ? tokensBefore.tokens : 0;
  return { tokens: steps.at(-1)!.tokens - start, evaluations: evaluations.length };
}

describe('what a model took', () => {
  it('is what the logs of run and control say', async () => {
    const source = toySource();
    const corpus = toyCorpus();
    const log: { run: RunEvent[]; control: RunEvent[] } = { run: [], control: [] };
    const context = async (events: RunEvent[]) => ({
      gpu: await testGpu(),
      source,
      corpus,
      control: createRunControl(),
      version: 'test',
      emit: (event: RunEvent) => void events.push(event),
      activity: () => undefined,
    });
    await runExperiment({ experiment, interventions: [] }, await context(log.run));
    await trainFromScratch(experiment, await context(log.control));

    const target = prunedConfig(source.config, experiment.target);
    // 500 held-out tokens a domain: 62 windows of 8.
    const evaluation = (config: LlamaConfig) => 3 * 62 * 8 * forwardFlopsPerToken(config, 8);
    const training = (config: LlamaConfig, tokens: number) => tokens * trainingFlopsPerToken(config, 8);
    const spent = spentBy(experiment, source.config, corpus);

    const pruning = counted(log.run, 'prune');
    expect(spent.pruned.tokens).toBe(pruning.tokens);
    expect(spent.pruned.training).toBeCloseTo(training(source.config, pruning.tokens), 0);
    // Besides those in the log: the source's reference losses, the masked and the cut model at the cut.
    expect(spent.pruned.evaluation).toBeCloseTo(
      (pruning.evaluations + 2) * evaluation(source.config) + evaluation(target),
      0,
    );

    // The first evaluation of retraining is that of the cut model.
    const retraining = counted(log.run, 'retrain');
    expect(spent.retrained.tokens).toBe(pruning.tokens + retraining.tokens);
    expect(spent.retrained.training - spent.pruned.training).toBeCloseTo(
      training(target, retraining.tokens),
      0,
    );
    expect(spent.retrained.evaluation - spent.pruned.evaluation).toBeCloseTo(
      (retraining.evaluations - 1) * evaluation(target),
      0,
    );

    const control = counted(log.control, 'retrain');
    expect(spent.scratch.tokens).toBe(control.tokens);
    expect(spent.scratch.training).toBeCloseTo(training(target, control.tokens), 0);
    expect(spent.scratch.evaluation).toBeCloseTo(
      control.evaluations * evaluation(target) + evaluation(source.config),
      0,
    );
  });

  it('has all that the candidates of a race read, and their judgements', () => {
    const { config } = toySource();
    const plain = { ...experiment, method: 'one-shot' as const };
    // 4 candidates for 2 steps, then 2 for 2 and 2 more; 8 judgements.
    const raced = { ...plain, race: { candidates: 4, steps: 6, rounds: 3 } };
    const [more, less] = [raced, plain].map((of) => spentBy(of, config, toyCorpus()));
    const target = prunedConfig(config, experiment.target);
    const tokens = 16 * 3 * 8;
    expect(more!.pruned.tokens - less!.pruned.tokens).toBe(tokens);
    expect(more!.pruned.training - less!.pruned.training).toBeCloseTo(
      tokens * trainingFlopsPerToken(target, 8),
      0,
    );
    expect(more!.pruned.evaluation - less!.pruned.evaluation).toBeCloseTo(
      8 * 3 * 62 * 8 * forwardFlopsPerToken(target, 8),
      0,
    );
    expect(more!.retrained.tokens - less!.retrained.tokens).toBe(tokens);
    expect(more!.scratch.tokens - less!.scratch.tokens).toBe(tokens);
  });

  it('counts a teacher’s forward passes, and of adapters no gradient of a frozen matrix', () => {
    const { config } = toySource();
    const of = (changes: object) => spentBy({ ...experiment, ...changes }, config, toyCorpus());
    const plain = of({});
    const target = prunedConfig(config, experiment.target);
    const [before, after] = [7 * 2 * 8, 5 * 3 * 8];
    const forward = forwardFlopsPerToken(config, 8);
    const taught = of({ distillation: { weight: 1, temperature: 1, pruning: true } });
    expect(taught.retrained.training - plain.retrained.training).toBeCloseTo((before + after) * forward, 0);
    const afterwards = of({ distillation: { weight: 1, temperature: 1, pruning: false } });
    expect(afterwards.pruned.training).toBe(plain.pruned.training);
    expect(afterwards.retrained.training - plain.retrained.training).toBeCloseTo(after * forward, 0);
    // The control learns from next tokens alone.
    expect(taught.scratch.training).toBe(plain.scratch.training);

    // Two layers of hidden size 10, 2 heads of 4 with one key/value head, MLP 13; 32 tokens in the vocabulary.
    const matrices = 2 * (10 * 8 * 2 + 10 * 4 * 2 + 3 * 10 * 13) + target.vocabSize * 10;
    // Rank 2 of down alone would be 2·(13 + 10) a layer; gate and up have as many.
    const adapters = 2 * 3 * 2 * (13 + 10);
    const lora = { ...experiment.lora, rank: 2, attention: false };
    const adapted = of({ retraining: 'lora', lora });
    expect(plain.retrained.training - adapted.retrained.training).toBeCloseTo(
      after * (2 * matrices - 6 * adapters),
      0,
    );
    // Three steps of all weights and two of adapters, each phase with an evaluation at its end.
    const both = of({ retraining: 'continued-lora', lora });
    expect(both.retrained.evaluation).toBe(adapted.retrained.evaluation);
    expect(both.retrained.tokens).toBe(plain.retrained.tokens);
  });

  it('is what its card says for a model of the site', () => {
    const { config } = toySource();
    const { tokens, training } = pretrainingSpent(config, { tokens_trained: 1000, context: 16 });
    expect(tokens).toBe(1000);
    expect(training).toBe(1000 * trainingFlopsPerToken(config, 16));
  });
});
