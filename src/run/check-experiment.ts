import type { Experiment } from '../experiment/schema';
import type { LlamaConfig } from '../llama/config';
import { GATE_SETS, type GateSet } from '../llama/gates';
import { targetSparsities } from '../pruning/masks';
import { methodOf } from '../pruning/methods';
import { pinProblem } from '../pruning/pins';
import { largestSparsities } from '../pruning/reachable';
import { checkTarget } from '../pruning/target-shape';

/** @throws one sentence that names the field when the experiment does not fit the model. */
export function checkExperiment(experiment: Experiment, source: LlamaConfig): void {
  const problem = checkTarget(source, experiment.target, experiment.gates)[0];
  if (problem) throw new Error(problem.message);
  const wrongPin = pinProblem(source, experiment.pins, experiment.target, experiment.gates);
  if (wrongPin) throw new Error(wrongPin);
  refuseBeyondReach(experiment, source);
  const { mode, weights } = experiment.mixture;
  if (mode === 'constant' && weights.length > 0) {
    throw new Error(
      'Domain weights (mixture.weights) have no effect with the mode "constant" (mixture.mode), which keeps the corpus’ own proportions: choose the mode "manual" for weights that stay, or leave the weights out.',
    );
  }
  if (experiment.contextLength > source.maxPositionEmbeddings) {
    throw new Error(
      `Context (contextLength) is ${experiment.contextLength}, more than the ${source.maxPositionEmbeddings} positions of the source model.`,
    );
  }
}

const TARGET_FIELDS: Record<GateSet, string> = {
  hidden: 'Hidden size (target.hiddenSize)',
  head: 'Attention heads (target.numAttentionHeads)',
  intermediate: 'MLP width (target.intermediateSize)',
  layer: 'Layers (target.numHiddenLayers)',
};

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
  throw new Error(
    `${TARGET_FIELDS[set]} asks for a sparsity of ${asked[set].toFixed(3)}, but learnt gates are clamped and come to ${most[set].toFixed(3)} at most: keep more, or switch the reachable target (prune.reachable) on.`,
  );
}
