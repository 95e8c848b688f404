import type { Experiment } from '../experiment/schema';
import { allFinite } from '../fields/finite';
import type { FlatModel } from '../llama/parameters';
import { trains } from '../retraining';
import { learningRateShare } from '../training/schedule';
import { domainLosses } from './losses';
import type { Run } from './run-context';
import { adaptMixture, where, withTraining } from './stages';
import { ADAM, trainSteps, type TrainingStage } from './train-steps';

/**
 * Plain training of `start`, from the mixture that the run is at, which the model's own losses move once more
 * before the first step (docs/method.md, section 7).
 *
 * @param lossAtStart of `start` on the run's windows
 * @param saved tensors of a checkpoint of this stage; empty at its start
 */
export async function retrain(
  run: Run,
  start: FlatModel,
  lossAtStart: number[],
  saved: ReadonlyMap<string, Float32Array>,
): Promise<FlatModel> {
  const { state, emit } = run;
  const { experiment } = state;
  const publish = (loss: number[]) => {
    adaptMixture(run, loss);
    emit({ type: 'evaluation', stage: 'retrain', ...where(run), loss, mixture: state.mixture });
  };
  const options = {
    ...start,
    label: 'retraining',
    shape: { batch: experiment.retrain.batchSize, context: experiment.contextLength },
    extension: null,
  };
  return withTraining(run, options, saved, async ({ trainer, inference }) => {
    const stage: TrainingStage = {
      name: 'retrain',
      trainer,
      batchSize: experiment.retrain.batchSize,
      steps: ({ retraining, retrain }) => (trains(retraining) ? retrain.steps : 0),
      keepsEnd: true,
      inputs: stepInputs,
      async evaluate() {
        publish(await domainLosses(run, inference, 'Evaluating the model in training'));
      },
    };
    if (state.step === state.stageStart) publish(lossAtStart);
    await trainSteps(run, stage);
    const parameters = allFinite(await trainer.read('weights'), `The weights after step ${state.step}`);
    return { config: start.config, parameters };
  });
}

/** Rates of zero-based step `s`. */
function stepInputs({ retrain, clipNorm, seed, prune }: Experiment, s: number) {
  const share = learningRateShare(s, retrain.steps, retrain.learningRateWarmup, retrain.learningRateFloor);
  return {
    step: s,
    seed,
    learningRate: retrain.learningRate * share,
    gateLearningRate: 0,
    multiplierLearningRate: 0,
    weightDecay: retrain.weightDecay,
    ...ADAM,
    clipNorm,
    temperature: prune.temperature,
    activeSets: 0,
    targetSparsity: [0, 0, 0, 0] as [number, number, number, number],
  };
}
