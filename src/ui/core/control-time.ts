import { forwardFlopsPerToken, trainingFlopsPerToken } from '../../pruning/cost';
import { cutConfig } from '../../run/cut-config';
import { plannedTraining } from '../../run/run-size';
import { scratchExperiment } from '../../run/scratch-experiment';
import { teachesRetraining } from '../../run/teacher';
import type { RunRecord } from './run-record';

/**
 * Seconds that training a run's control from scratch will take on this device, its evaluations included: as long a
 * step as retraining took, which has the same shape, less what a teacher's forward pass has of its operations. After
 * a run without retraining a step of pruning has to do, which is longer. Null before the run has finished.
 */
export function controlSeconds(run: RunRecord): number | null {
  const { finished, surgery, started, settings: experiment } = run;
  if (!finished || !surgery) return null;
  const { prune, retrain } = plannedTraining(experiment);
  const millisecondsPerStep =
    retrain.steps > 0
      ? (finished.elapsedMs - surgery.elapsedMs) / retrain.steps
      : surgery.elapsedMs / Math.max(1, prune.steps);
  const source = started.source.config;
  const { contextLength } = experiment;
  const own = trainingFlopsPerToken(cutConfig(source, experiment), contextLength);
  const teacher = teachesRetraining(experiment) ? forwardFlopsPerToken(source, contextLength) : 0;
  const { steps } = scratchExperiment(experiment).retrain;
  return (steps * millisecondsPerStep * (own / (own + teacher))) / 1000;
}
