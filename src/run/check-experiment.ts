import { readsCalibration } from '../experiment/relevance';
import { findField, type Experiment } from '../experiment/schema';
import type { LlamaConfig } from '../llama/config';
import { GATE_SETS } from '../llama/gates';
import { targetSparsities } from '../pruning/masks';
import { methodOf } from '../pruning/methods';
import { pinProblem } from '../pruning/pins';
import { largestSparsities } from '../pruning/reachable';
import { checkTarget, GATE_SET_OF, TARGET_FIELDS } from '../pruning/target-shape';
import { adapterSteps, trains } from '../retraining';
import { checkCalibration } from './calibration';
import { plannedTraining } from './run-size';

/** @throws one sentence that names the field when the experiment does not fit the model. */
export function checkExperiment(experiment: Experiment, source: LlamaConfig): void {
  const problem = checkTarget(source, experiment.target, experiment.gates)[0];
  if (problem) throw new Error(problem.message);
  const wrongPin = pinProblem(source, experiment.pins, experiment.target, experiment.gates);
  if (wrongPin) throw new Error(wrongPin);
  const noRace = raceProblem(experiment, source);
  if (noRace) throw new Error(noRace);
  refuseBeyondReach(experiment, source);
  const { mode, weights } = experiment.mixture;
  if (mode === 'constant' && weights.length > 0) {
    throw new Error(
      'Domain weights (mixture.weights) have no effect with the mode "constant" (mixture.mode), which keeps the corpus’ own proportions: choose the mode "manual" for weights that stay, or leave the weights out.',
    );
  }
  const { retraining, lora } = experiment;
  if (adapterSteps(retraining, 1e6, lora) > 0 && !lora.attention && !lora.mlp) {
    throw new Error(
      'Adapters (lora.attention, lora.mlp) are on no projection, so nothing would train: switch one of them on.',
    );
  }
  if (adapterSteps(retraining, 1e6, lora) > 0) refuseRank(experiment);
  if (readsCalibration(experiment)) checkCalibration(experiment, source);
  checkContext(experiment, source);
}

/** @throws one sentence when the model cannot read windows of this length */
export function checkContext(
  { contextLength }: Pick<Experiment, 'contextLength'>,
  { maxPositionEmbeddings }: LlamaConfig,
): void {
  if (contextLength <= maxPositionEmbeddings) return;
  throw new Error(
    `Context (contextLength) is ${contextLength}, more than the ${maxPositionEmbeddings} positions of the source model.`,
  );
}

/** Why candidates for the mask cannot race, in one sentence; null when they can, or when there is one. */
function raceProblem(experiment: Experiment, source: LlamaConfig): string | null {
  const { race, method, retraining, target } = experiment;
  if (race.candidates === 1) return null;
  const field = `Candidates (race.candidates) is ${race.candidates}`;
  if (method !== 'one-shot') {
    return `${field}, but the method "${method}" (method) has one mask: choose "one-shot", or 1 candidate.`;
  }
  if (!trains(retraining)) {
    return `${field}, but they are judged by their first steps of retraining, and there is none (retraining): choose a retraining, or 1 candidate.`;
  }
  if (TARGET_FIELDS.every((dimension) => target[dimension] === source[dimension])) {
    return `${field}, but the target keeps every unit, so there is one mask: choose a smaller target, or 1 candidate.`;
  }
  if (race.rounds > race.steps) {
    return `Race rounds (race.rounds) is ${race.rounds}, more than the ${race.steps} steps of the race (race.steps).`;
  }
  const { prune, retrain } = plannedTraining(experiment);
  const steps = prune.steps + retrain.steps;
  return race.steps > steps
    ? `Race steps (race.steps) is ${race.steps}, more than the ${steps} steps of the run itself (scores.steps and retrain.steps).`
    : null;
}

/**
 * Refuses a target that learnt gates cannot meet even with all of them closed. λ1 would drive every gate to the clamp,
 * and of equal gates the cut keeps the first: a choice that nothing was learnt for.
 */
function refuseBeyondReach(experiment: Experiment, source: LlamaConfig): void {
  const { method, prune, target, gates } = experiment;
  if (methodOf(method).kind !== 'learnt' || prune.reachable) return;
  const asked = targetSparsities(source, target, gates);
  const most = largestSparsities(source, experiment);
  const set = GATE_SETS.find((one) => asked[one] > most[one]);
  if (!set) return;
  const key = `target.${TARGET_FIELDS.find((field) => GATE_SET_OF[field] === set)!}`;
  throw new Error(
    `${findField(key)!.label} (${key}) asks for a sparsity of ${asked[set].toFixed(3)}, but learnt gates are clamped and come to ${most[set].toFixed(3)} at most: keep more, or switch the reachable target (prune.reachable) on.`,
  );
}

/** An adapter of more rank than its projection has rows or columns is no smaller than what it stands beside. */
function refuseRank({ lora, target }: Experiment): void {
  const most = Math.min(target.hiddenSize, lora.mlp ? target.intermediateSize : Infinity);
  if (lora.rank <= most) return;
  throw new Error(
    `Rank (lora.rank) is ${lora.rank}, more than the ${most} rows or columns of a projection of the target: choose ${most} or less.`,
  );
}
