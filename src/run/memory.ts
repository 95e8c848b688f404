import { prunedConfig, type LlamaConfig } from '../llama/config';
import { evaluationBatch } from '../llama/evaluate';
import { parameterLayout } from '../llama/parameters';
import { inferencePlan, planBytes, trainingPlan, type BatchShape } from '../llama/workspace';
import { learntGates } from '../pruning/learnt-gates';
import { calibrationBatch } from '../pruning/scores/calibration';
import type { TrainerExtension } from '../training/extension';
import { methodOf } from '../pruning/methods';
import { trainerBytes } from '../training/trainer';
import type { Experiment } from '../experiment/schema';
import { plannedTraining } from './run-size';

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
  const { contextLength, target } = experiment;
  const { prune, retrain } = plannedTraining(experiment);
  const sourceBytes = parameterLayout(source).total * 4;
  const learns = methodOf(experiment.method).kind === 'learnt';
  const stage = (config: LlamaConfig, batch: number, extension: TrainerExtension | null) =>
    trainerBytes(config, { batch, context: contextLength }, extension) +
    planBytes(inferencePlan(config, evaluationShape(experiment)));
  return {
    pruning:
      sourceBytes +
      (prune.steps > 0
        ? stage(source, prune.batchSize, learns ? learntGates(source, experiment.prune) : null)
        : calibrationBytes(source, experiment)),
    retraining: retrain.steps > 0 ? stage(prunedConfig(source, target), retrain.batchSize, null) : 0,
  };
}

/** What scoring holds beside the weights: every activation of a calibration batch, and the weights' gradients. */
function calibrationBytes(source: LlamaConfig, { calibration: { sequences, length } }: Experiment): number {
  const shape = { batch: calibrationBatch(sequences, length), context: length };
  return planBytes(trainingPlan(source, shape)) + parameterLayout(source).total * 4;
}
