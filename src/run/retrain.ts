import type { Experiment } from '../experiment/schema';
import { allFinite } from '../fields/finite';
import { mergeAdapters } from '../llama/adapters';
import type { FlatModel } from '../llama/parameters';
import { methodOf } from '../pruning/methods';
import { loraOptions } from '../retraining/lora';
import { learningRateShare } from '../training/schedule';
import { domainLosses } from './losses';
import { phases } from './phases';
import { currentSettings, type Run } from './run-context';
import { plannedTraining } from './run-size';
import { adaptMixture, where, withTraining } from './stages';
import { distillationInputs, teacherOf } from './teacher';
import { ADAM, snapshot, trainSteps, type TrainingStage } from './train-steps';

/** The name, among a checkpoint's tensors, of the weights that adapters stand beside. */
const FROZEN = 'frozen';

/**
 * Trains `start` on, from the mixture that the run is at, which the model's own losses move once more before the first
 * step (docs/method.md, section 7): all weights, then low-rank adapters on the frozen weights, merged at the end, as
 * far as the experiment asks for either.
 *
 * @param lossAtStart of `start` on the run's windows
 * @param saved tensors of a checkpoint of this stage; at its start Adam's moments, where they are carried on
 */
export async function retrain(
  run: Run,
  start: FlatModel,
  lossAtStart: number[],
  saved: ReadonlyMap<string, Float32Array>,
): Promise<FlatModel> {
  const { state } = run;
  let tensors = saved;
  let frozen = start;
  if (state.stage !== 'adapt') {
    if (phases(currentSettings(run)).weights > 0) frozen = await trainWeights(run, start, lossAtStart, saved);
    if (phases(currentSettings(run)).adapters === 0) return frozen;
    state.stage = 'adapt';
    state.stageStart = state.step;
    tensors = new Map([[FROZEN, frozen.parameters]]);
    await run.keeper?.checkpoint(snapshot(run), tensors);
  }
  const parameters = tensors.get(FROZEN);
  if (!parameters) throw new Error('The checkpoint lacks the weights that adapters are trained on.');
  const trained = new Map([...tensors].filter(([name]) => name !== FROZEN));
  return trainAdapters(run, { ...start, parameters }, lossAtStart, trained);
}

/** Shows held-out losses of the model in training, and moves the mixture by them. */
function publish(run: Run, loss: number[]): void {
  adaptMixture(run, loss);
  run.emit({ type: 'evaluation', stage: 'retrain', ...where(run), loss, mixture: run.state.mixture });
}

function trainerOptions(run: Run, start: FlatModel, label: string) {
  const { retrain: settings, contextLength } = run.state.experiment;
  return {
    ...start,
    label,
    shape: { batch: settings.batchSize, context: contextLength },
    extension: null,
    teacher: teacherOf(run, 'retrain'),
  };
}

function trainWeights(
  run: Run,
  start: FlatModel,
  lossAtStart: number[],
  saved: ReadonlyMap<string, Float32Array>,
): Promise<FlatModel> {
  const { state } = run;
  // Moments that are carried through the cut go on where they were, on one schedule.
  const before = methodOf(state.experiment.method).carriesMoments ? state.stageStart : 0;
  return withTraining(
    run,
    trainerOptions(run, start, 'retraining'),
    saved,
    async ({ trainer, inference }) => {
      const stage: TrainingStage = {
        name: 'retrain',
        trainer,
        batchSize: state.experiment.retrain.batchSize,
        steps: (settings) => phases(settings).weights,
        keepsEnd: phases(currentSettings(run)).adapters === 0,
        inputs: (settings, s) => stepInputs(settings, before + s, before + phases(settings).weights),
        evaluate: async () =>
          publish(run, await domainLosses(run, inference, 'Evaluating the model in training')),
      };
      if (state.step === state.stageStart) publish(run, lossAtStart);
      await trainSteps(run, stage);
      const parameters = allFinite(await trainer.read('weights'), `The weights after step ${state.step}`);
      return { config: start.config, parameters };
    },
  );
}

function trainAdapters(
  run: Run,
  frozen: FlatModel,
  lossAtStart: number[],
  saved: ReadonlyMap<string, Float32Array>,
): Promise<FlatModel> {
  const { state } = run;
  const { experiment } = state;
  const lora = loraOptions(experiment.lora, experiment.seed);
  const atCut = state.surgery?.step ?? 0;
  /** However many steps the weights had, all that are asked for after the cut are done. */
  const steps = (settings: Experiment) =>
    plannedTraining(settings).retrain.steps - (state.stageStart - atCut);
  const options = { ...trainerOptions(run, frozen, 'adapters'), adapters: lora };
  return withTraining(run, options, saved, async ({ trainer, inference }) => {
    const stage: TrainingStage = {
      name: 'retrain',
      trainer,
      batchSize: experiment.retrain.batchSize,
      steps,
      keepsEnd: true,
      besides: new Map([[FROZEN, frozen.parameters]]),
      inputs: (settings, s) => stepInputs(settings, s, steps(settings)),
      evaluate: async () =>
        publish(run, await domainLosses(run, inference, 'Evaluating the model in training')),
    };
    if (state.step === atCut) publish(run, lossAtStart);
    await trainSteps(run, stage);
    const adapters = allFinite(await trainer.read('adapters'), `The adapters after step ${state.step}`);
    return mergeAdapters(frozen, lora, adapters);
  });
}

/** Rates of zero-based step `step` of a schedule of `steps` steps with the rates of retraining. */
export function stepInputs(settings: Experiment, step: number, steps: number) {
  const { retrain: rates, clipNorm, seed, prune } = settings;
  const share = learningRateShare(step, steps, rates.learningRateWarmup, rates.learningRateFloor);
  return {
    step,
    seed,
    learningRate: rates.learningRate * share,
    gateLearningRate: 0,
    multiplierLearningRate: 0,
    weightDecay: rates.weightDecay,
    ...ADAM,
    clipNorm,
    temperature: prune.temperature,
    ...distillationInputs(settings),
    activeSets: 0,
    targetSparsity: [0, 0, 0, 0] as [number, number, number, number],
  };
}
