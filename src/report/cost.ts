import { cutConfig } from '../run/cut-config';
import type { Corpus } from '../data/corpus';
import { evaluationWindows } from '../data/sampler';
import { type LlamaConfig } from '../llama/config';
import { adapterLayout } from '../llama/adapters';
import { adapterTrainingFlopsPerToken, forwardFlopsPerToken, trainingFlopsPerToken } from '../pruning/cost';
import type { Experiment } from '../experiment/schema';
import { loraOptions } from '../retraining/lora';
import { phases } from '../run/phases';
import { plannedRace, plannedTraining, raceTokens } from '../run/run-size';
import { rewarmedExperiment, scratchExperiment } from '../run/scratch-experiment';
import { teachesPruning, teachesRetraining } from '../run/teacher';

/** What went into a model. */
export interface Spent {
  /** Tokens that it was trained on. */
  tokens: number;
  /** Floating-point operations of the optimiser steps, a teacher's forward passes included; not of calibration. */
  training: number;
  /** Those of the evaluations that steer the mixture and are drawn; 0 where they are not known. */
  evaluation: number;
}

/** What a model of the site took, by its card: pretraining alone. */
export function pretrainingSpent(
  config: LlamaConfig,
  card: { tokens_trained: number; context: number },
): Spent {
  const tokens = card.tokens_trained;
  return { tokens, training: tokens * trainingFlopsPerToken(config, card.context), evaluation: 0 };
}

/**
 * What a finished run and its control took, beyond the source model. Both follow from the experiment: a run that
 * has finished has done all its steps and evaluations (`report-cost.test.ts` counts them in the log). A masked
 * model computes as much as its source does.
 */
export function spentBy(
  experiment: Experiment,
  source: LlamaConfig,
  corpus: Corpus,
): { pruned: Spent; retrained: Spent; scratch: Spent; rewarmed: Spent } {
  const { contextLength, evaluation } = experiment;
  const planned = plannedTraining(experiment);
  const target = cutConfig(source, experiment);
  const windows = corpus.domains.map((d) => evaluationWindows(d, contextLength, evaluation.windows).windows);
  const evaluated = windows.reduce((sum, count) => sum + count, 0) * contextLength;
  const evaluate = (config: LlamaConfig, times: number) =>
    times * evaluated * forwardFlopsPerToken(config, contextLength);
  /** `flops`: of a training step, a token. */
  const train = (
    config: LlamaConfig,
    { steps, batchSize }: { steps: number; batchSize: number },
    flops = trainingFlopsPerToken(config, contextLength),
  ): Spent => {
    const tokens = steps * batchSize * contextLength;
    return {
      tokens,
      training: tokens * flops,
      evaluation: evaluate(config, Math.ceil(steps / evaluation.interval)),
    };
  };
  const teaching = (teaches: boolean) => (teaches ? forwardFlopsPerToken(source, contextLength) : 0);
  const beforeCut = trainingFlopsPerToken(source, contextLength) + teaching(teachesPruning(experiment));
  const taught = teaching(teachesRetraining(experiment));
  const afterCut = trainingFlopsPerToken(target, contextLength) + taught;
  // The source's reference losses; after the cut, the masked and the pruned model.
  const around: Spent = { tokens: 0, training: 0, evaluation: evaluate(source, 2) + evaluate(target, 1) };
  // Every candidate of a race is evaluated at the end of each of its rounds.
  const judged = plannedRace(experiment).reduce((sum, { candidates }) => sum + candidates, 0);
  const raced: Spent = {
    tokens: raceTokens(experiment),
    training: raceTokens(experiment) * afterCut,
    evaluation: evaluate(target, judged),
  };
  const pruned = add(add(train(source, planned.prune, beforeCut), raced), around);
  const { weights, adapters } = phases(experiment);
  const { batchSize } = planned.retrain;
  const healed = train(target, { steps: weights, batchSize }, afterCut);
  const adapted = () => {
    const { parameterCount } = adapterLayout(target, loraOptions(experiment.lora, 0));
    const flops = adapterTrainingFlopsPerToken(target, contextLength, parameterCount) + taught;
    return train(target, { steps: adapters, batchSize }, flops);
  };
  // The reference losses again, and the untrained model.
  const before: Spent = { tokens: 0, training: 0, evaluation: evaluate(source, 1) + evaluate(target, 1) };
  return {
    pruned,
    retrained: add(pruned, adapters > 0 ? add(healed, adapted()) : healed),
    scratch: add(train(target, scratchExperiment(experiment).retrain), before),
    // Its start is the source, evaluated once more.
    rewarmed: add(train(source, rewarmedExperiment(experiment).retrain), {
      ...before,
      evaluation: evaluate(source, 2),
    }),
  };
}

function add(a: Spent, b: Spent): Spent {
  return {
    tokens: a.tokens + b.tokens,
    training: a.training + b.training,
    evaluation: a.evaluation + b.evaluation,
  };
}
