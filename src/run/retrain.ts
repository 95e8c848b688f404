import type { Experiment } from '../experiment/schema';
import { allFinite } from '../fields/finite';
import type { FlatModel } from '../llama/parameters';
import { methodOf } from '../pruning/methods';
import { learningRateShare } from '../training/schedule';
import { domainLosses } from './losses';
import type { Run } from './run-context';
import { plannedTraining } from './run-size';
import { adaptMixture, where, withTraining } from './stages';
import { distillationInputs, teacherOf } from './teacher';
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
  // Moments that are carried through the cut go on where they were, on one schedule.
  const before = methodOf(experiment.method).carriesMoments ? state.stageStart : 0;
  const publish = (loss: number[]) => {
    adaptMixture(run, loss);
    emit({ type: 'evaluation', stage: 'retrain', ...where(run), loss, mixture: state.mixture });
  };
  const options = {
    ...start,
    label: 'retraining',
    shape: { batch: experiment.retrain.batchSize, context: experiment.contextLength },
    extension: null,
    teacher: teacherOf(run, 'retrain'),
  };
  return withTraining(run, options, saved, async ({ trainer, inference }) => {
    const stage: TrainingStage = {
      name: 'retrain',
      trainer,
      batchSize: experiment.retrain.batchSize,
      steps: (settings) => plannedTraining(settings).retrain.steps,
      keepsEnd: true,
      inputs: (settings, s) => stepInputs(settings, before + s, before),
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

/** Rates of zero-based step `step` of a schedule that begins `before` steps before retraining. */
export function stepInputs(settings: Experiment, step: number, before: number) {
  const { retrain, clipNorm, seed, prune } = settings;
  const steps = before + plannedTraining(settings).retrain.steps;
  const share = learningRateShare(step, steps, retrain.learningRateWarmup, retrain.learningRateFloor);
  return {
    step,
    seed,
    learningRate: retrain.learningRate * share,
    gateLearningRate: 0,
    multiplierLearningRate: 0,
    weightDecay: retrain.weightDecay,
    ...ADAM,
    clipNorm,
    temperature: prune.temperature,
    ...distillationInputs(settings),
    activeSets: 0,
    targetSparsity: [0, 0, 0, 0] as [number, number, number, number],
  };
}
