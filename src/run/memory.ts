import { prunedConfig, type LlamaConfig } from '../llama/config';
import { evaluationBatch } from '../llama/evaluate';
import { inferencePlan, planBytes, type BatchShape } from '../llama/workspace';
import { learntGates } from '../pruning/learnt-gates';
import type { TrainerExtension } from '../training/extension';
import { trains } from '../retraining';
import { trainerBytes } from '../training/trainer';
import type { Experiment } from '../experiment/schema';

export function evaluationShape({ contextLength }: Experiment): BatchShape {
  return { batch: evaluationBatch(contextLength), context: contextLength };
}

/**
 * GPU bytes that a run of this experiment will hold in each stage, from the very plans that its buffers
 * are allocated from: weights, gradients and moments, activations, and the model under evaluation.
 */
export function estimateRunMemory(
  source: LlamaConfig,
  experiment: Experiment,
): { pruning: number; retraining: number } {
  const { prune, retrain, contextLength, target, retraining } = experiment;
  const stage = (config: LlamaConfig, batch: number, extension: TrainerExtension | null) =>
    trainerBytes(config, { batch, context: contextLength }, extension) +
    planBytes(inferencePlan(config, evaluationShape(experiment)));
  return {
    pruning: stage(source, prune.batchSize, learntGates(source, prune)),
    retraining: trains(retraining) ? stage(prunedConfig(source, target), retrain.batchSize, null) : 0,
  };
}
