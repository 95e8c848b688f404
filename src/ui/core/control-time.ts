import { plannedTraining } from '../../run/run-size';
import { scratchExperiment } from '../../run/scratch-experiment';
import type { RunRecord } from './run-record';

/**
 * Seconds that training a run's control from scratch will take on this device, its evaluations included: as long a
 * step as retraining took, which has the same shape. After a run without retraining a step of pruning has to do,
 * which is longer. Null before the run has finished.
 */
export function controlSeconds({ finished, surgery, settings: experiment }: RunRecord): number | null {
  if (!finished || !surgery) return null;
  const { prune, retrain } = plannedTraining(experiment);
  const millisecondsPerStep =
    retrain.steps > 0
      ? (finished.elapsedMs - surgery.elapsedMs) / retrain.steps
      : surgery.elapsedMs / Math.max(1, prune.steps);
  return (scratchExperiment(experiment).retrain.steps * millisecondsPerStep) / 1000;
}
