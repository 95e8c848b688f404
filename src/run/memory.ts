import { turnsStream } from '../pruning/basis/fields';
import type { LoraOptions } from '../llama/adapters';
import type { LlamaConfig } from '../llama/config';
import { evaluationBatch } from '../llama/evaluate';
import { parameterLayout } from '../llama/parameters';
import { inferencePlan, planBytes, trainingPlan, type BatchShape } from '../llama/workspace';
import { learntGates } from '../pruning/learnt-gates';
import { methodOf } from '../pruning/methods';
import { criterion } from '../pruning/scores';
import { calibrationBatch } from '../pruning/scores/calibration';
import { loraOptions } from '../retraining/lora';
import { trainerBytes } from '../training/trainer';
import { readsCalibration } from '../experiment/relevance';
import type { Experiment } from '../experiment/schema';
import { calibrationLength } from './calibration';
import { cutConfig, subjectConfig } from './cut-config';
import { phases } from './phases';
import { plannedRace, plannedTraining } from './run-size';
import { teachesPruning, teachesRetraining } from './teacher';

export function evaluationShape({ contextLength }: Experiment): BatchShape {
  return { batch: evaluationBatch(contextLength), context: contextLength };
}

const weightsOf = (config: LlamaConfig) => parameterLayout(config).total * 4;

/**
 * GPU bytes that a run of this experiment will hold in each stage, from the very plans that its buffers are allocated
 * from: the source's weights, and in a turned basis the turned ones; while calibrating every activation and the
 * gradients; while training, candidates of a race included, weights, gradients and moments, activations, a teacher's, and the model under evaluation.
 */
export function estimateRunMemory(
  source: LlamaConfig,
  experiment: Experiment,
): { pruning: number; retraining: number } {
  const { method, contextLength } = experiment;
  const { prune, retrain } = plannedTraining(experiment);
  const learns = methodOf(method).kind === 'learnt';
  const stage = (
    config: LlamaConfig,
    batch: number,
    parts: Parameters<typeof trainerBytes>[2],
    adapters: LoraOptions | null = null,
  ) =>
    trainerBytes(config, { batch, context: contextLength }, { ...parts, adapters }) +
    planBytes(inferencePlan(config, evaluationShape(experiment), adapters));
  const subject = subjectConfig(source, experiment);
  const turned = turnsStream(experiment) ? weightsOf(subject) : 0;
  const extension = learns ? learntGates(subject, experiment.prune) : null;
  const training =
    prune.steps > 0
      ? stage(subject, prune.batchSize, { extension, teacher: teachesPruning(experiment) ? source : null })
      : 0;
  const teacher = teachesRetraining(experiment) ? source : null;
  const { weights, adapters } = phases(experiment);
  const lora = loraOptions(experiment.lora, 0);
  const healing = (trained: LoraOptions | null) =>
    stage(cutConfig(source, experiment), retrain.batchSize, { teacher }, trained);
  const racing = plannedRace(experiment).length > 0 ? healing(null) : 0;
  const retraining = Math.max(
    weights > 0 ? healing(null) : 0,
    // Adapters on no projection are refused before a run (check-experiment.ts).
    adapters > 0 && lora.projections.length > 0 ? healing(lora) : 0,
  );
  return {
    pruning:
      weightsOf(source) +
      turned +
      Math.max(training, racing, readsCalibration(experiment) ? calibrationBytes(subject, experiment) : 0),
    retraining: retraining > 0 ? retraining + (teacher ? weightsOf(source) : 0) : 0,
  };
}

/**
 * What scores and axes are measured with: every activation of a calibration batch, the weights' gradients, and beside
 * them, for scores that ask for it, the model without some layers, which is evaluated.
 */
function calibrationBytes(config: LlamaConfig, experiment: Experiment): number {
  const context = calibrationLength(experiment);
  const shape = { batch: calibrationBatch(experiment.calibration.sequences, context), context };
  const { layers, widths } = experiment.scores;
  const evaluates =
    plannedRace(experiment).length > 0 || [layers, widths].some((id) => criterion(id).reads?.losses);
  return (
    planBytes(trainingPlan(config, shape)) +
    (evaluates ? planBytes(inferencePlan(config, shape)) : 0) +
    weightsOf(config) +
    2 * config.hiddenSize ** 2 * 4
  );
}
