import type { Experiment } from '../experiment/schema';
import type { LlamaConfig } from '../llama/config';
import { adapterSteps } from '../retraining';
import { pinProblem } from '../pruning/pins';
import { checkTarget } from '../pruning/target-shape';
import { calibrates, checkCalibration } from './calibration';

/** @throws one sentence that names the field when the experiment does not fit the model. */
export function checkExperiment(experiment: Experiment, source: LlamaConfig): void {
  const problem = checkTarget(source, experiment.target, experiment.gates)[0];
  if (problem) throw new Error(problem.message);
  const wrongPin = pinProblem(source, experiment.pins, experiment.target, experiment.gates);
  if (wrongPin) throw new Error(wrongPin);
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
  if (calibrates(experiment)) checkCalibration(experiment, source);
  if (experiment.contextLength > source.maxPositionEmbeddings) {
    throw new Error(
      `Context (contextLength) is ${experiment.contextLength}, more than the ${source.maxPositionEmbeddings} positions of the source model.`,
    );
  }
}
