import type { LlamaConfig } from '../llama/config';
import { evaluationBatch } from '../llama/evaluate';
import { parameterLayout } from '../llama/parameters';
import { inferencePlan, planBytes, trainingPlan, type BatchShape } from '../llama/workspace';
import { learntGates } from '../pruning/learnt-gates';
import { methodOf } from '../pruning/methods';
import { calibrationBatch } from '../pruning/scores/calibration';
import type { TrainerExtension } from '../training/extension';
import { trainerBytes } from '../training/trainer';
import type { Experiment } from '../experiment/schema';
import { cutConfig, subjectConfig } from './cut-config';
import { plannedTraining } from './run-size';
import { teachesPruning, teachesRetraining } from './teacher';

export function evaluationShape({ contextLength }: Experiment): BatchShape {
  return { batch: evaluationBatch(contextLength), context: contextLength };
}

const weightsOf = (config: LlamaConfig) => parameterLayout(config).total * 4;

/**
 * GPU bytes that a run of this experiment will hold in each stage, from the very plans that its buffers are allocated
 * from: the source's weights, and in a turned basis the turned ones; while calibrating every activation and the
 * gradients; while training weights, gradients and moments, activations, a teacher's, and the model under evaluation.
 */
export function estimateRunMemory(
  source: LlamaConfig,
  experiment: Experiment,
): { pruning: number; retraining: number } {
  const { method, basis, contextLength } = experiment;
  const { prune, retrain } = plannedTraining(experiment);
  const learns = methodOf(method).kind === 'learnt';
  const stage = (
    config: LlamaConfig,
    batch: number,
    extension: TrainerExtension | null,
    teacher: LlamaConfig | null,
  ) =>
    trainerBytes(config, { batch, context: contextLength }, { extension, teacher }) +
    planBytes(inferencePlan(config, evaluationShape(experiment)));
  const subject = subjectConfig(source, experiment);
  const turned = basis === 'own' ? 0 : weightsOf(subject);
  const extension = learns ? learntGates(subject, experiment.prune) : null;
  const training =
    prune.steps > 0
      ? stage(subject, prune.batchSize, extension, teachesPruning(experiment) ? source : null)
      : 0;
  const calibrates = basis !== 'own' || !learns || experiment.prune.warmStart;
  const teaches = teachesRetraining(experiment);
  return {
    pruning:
      weightsOf(source) + turned + Math.max(training, calibrates ? calibrationBytes(subject, experiment) : 0),
    retraining:
      retrain.steps > 0
        ? stage(cutConfig(source, experiment), retrain.batchSize, null, teaches ? source : null) +
          (teaches ? weightsOf(source) : 0)
        : 0,
  };
}

/** What scores and axes are measured with: every activation of a calibration batch, and the weights' gradients. */
function calibrationBytes(config: LlamaConfig, { calibration: { sequences, length } }: Experiment): number {
  const shape = { batch: calibrationBatch(sequences, length), context: length };
  return planBytes(trainingPlan(config, shape)) + weightsOf(config) + 2 * config.hiddenSize ** 2 * 4;
}
