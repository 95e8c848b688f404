import type { Experiment } from '../experiment/schema';
import type { ModelView } from '../llama/model';
import type { Run } from './run-context';
import { plannedTraining } from './run-size';

/** Whether the source teaches the steps before the cut. */
export function teachesPruning(experiment: Experiment): boolean {
  const { weight, pruning } = experiment.distillation;
  return weight > 0 && pruning && plannedTraining(experiment).prune.steps > 0;
}

/** Whether the source teaches the steps after the cut. */
export function teachesRetraining(experiment: Experiment): boolean {
  return experiment.distillation.weight > 0 && plannedTraining(experiment).retrain.steps > 0;
}

/** The source on the GPU as the teacher of a stage, or null where it teaches nothing. */
export function teacherOf({ state, sourceOnGpu }: Run, stage: 'prune' | 'retrain'): ModelView | null {
  const teaches = stage === 'prune' ? teachesPruning : teachesRetraining;
  return teaches(state.experiment) ? sourceOnGpu.view() : null;
}

/** The objective's part of a step's inputs. A trainer without a teacher does not look at it. */
export function distillationInputs({ distillation: { weight, temperature } }: Experiment) {
  return { distillationWeight: weight, distillationTemperature: temperature };
}
