import { scheduledTarget } from '../experiment/target-schedule';
import type { Experiment } from '../experiment/schema';
import { allFinite } from '../fields/finite';
import { softValue } from '../kernels/hard-concrete-distribution';
import { GATE_SETS, type GateSet } from '../llama/gates';
import type { StepMetrics } from '../kernels/step-metrics';
import type { LlamaConfig } from '../llama/config';
import { gateLayout } from '../llama/gates';
import { learntGates, readLogAlpha } from '../pruning/learnt-gates';
import { changePins } from '../pruning/pins';
import { closedOrOpen, deterministicMask, targetSparsities, type LearntSets } from '../pruning/masks';
import { reachableSparsities } from '../pruning/reachable';
import { warmLogAlpha } from '../pruning/scores/warm-start';
import { learningRateShare } from '../training/schedule';
import type { GatesEvent, StepEvent } from './events';
import { currentSettings, planOf, type Decide, type Run, type Subject } from './run-context';
import { scoreOptions, scoreUnits } from './score-units';
import { evaluateMasked, scoredFor, withTraining } from './stages';
import { distillationInputs, teacherOf } from './teacher';
import { ADAM, trainSteps, type TrainingStage } from './train-steps';

/** Gates are shown this many times between two evaluations. */
const FRAMES_AN_EVALUATION = 5;
/** Frames that a run keeps at most, and the bytes that they may take together. */
const MOST_FRAMES = 1000;
const MOST_FRAME_BYTES = 16e6;

/**
 * Weights, gates and multipliers together until the cut (Sheared LLaMA; docs/method.md).
 *
 * @param saved tensors of a checkpoint of this stage; empty at its start
 */
export const learnMasks: Decide = async (run, subject, saved) => {
  const { state, emit } = run;
  const { config } = subject;
  const { experiment } = state;
  const learnt: LearntSets = experiment.gates;
  const { temperature } = experiment.prune;
  // A run that is taken up again has log α in its checkpoint.
  const warm = experiment.prune.warmStart && saved.size === 0;
  const startLogAlpha = warm ? await warmStart(run, subject) : experiment.prune.logAlpha;
  const options = {
    config,
    parameters: subject.view.parameters,
    label: 'pruning',
    shape: { batch: experiment.prune.batchSize, context: experiment.contextLength },
    extension: learntGates(config, { ...experiment.prune, logAlpha: startLogAlpha }),
    teacher: teacherOf(run, 'prune'),
  };
  return withTraining(run, options, saved, async ({ trainer, inference: masked }) => {
    /** log α after the newest step that it was asked for, so that a step reads it once. */
    let newest: { step: number; logAlpha: Promise<Float32Array> } | null = null;
    const logAlphaNow = () => {
      if (newest?.step !== state.step) newest = { step: state.step, logAlpha: readLogAlpha(trainer) };
      return newest.logAlpha;
    };
    let pins: readonly string[] = saved.size > 0 ? currentSettings(run).pins : [];
    const pin = async () => {
      const after = currentSettings(run).pins;
      await changePins(trainer, config, { before: pins, after, logAlpha: experiment.prune.logAlpha });
      pins = after;
      newest = null;
    };
    if (saved.size === 0) await pin();
    const stage: TrainingStage = {
      name: 'prune',
      trainer,
      batchSize: experiment.prune.batchSize,
      steps: (settings) => settings.prune.steps,
      inputs: (settings, s) => stepInputs(run, settings, s),
      describe: (result) => constraintOf(result, learnt),
      readFrame(settings, s, evaluates) {
        if (!evaluates && (s + 1) % frameInterval(settings, config) !== 0) return null;
        const { step } = state;
        return logAlphaNow().then(
          (logAlpha) => () => emit(gatesEvent(config, step, logAlpha, learnt, temperature)),
        );
      },
      onChange: async (keys) => {
        if (keys.has('pins')) await pin();
      },
      async evaluate() {
        const logAlpha = await logAlphaNow();
        await evaluateMasked(run, masked, deterministicMask(config, logAlpha, learnt, temperature, null));
      },
    };
    await trainSteps(run, stage);
    const { target } = currentSettings(run);
    const logAlpha = allFinite(await logAlphaNow(), `log α after step ${state.step}`);
    const parameters = allFinite(await trainer.read('weights'), `The weights after step ${state.step}`);
    const mask = deterministicMask(config, logAlpha, learnt, temperature, target);
    return {
      model: { config, parameters },
      mask: experiment.prune.foldAtOne ? closedOrOpen(mask) : mask,
      logAlpha,
      moments: new Map(),
    };
  });
};

/** log α from the ranks of the experiment's scores (docs/method.md, section 3). */
async function warmStart(run: Run, subject: Subject): Promise<Float32Array> {
  const scores = await scoreUnits(run.gpu, subject, scoredFor(run));
  const { prune } = run.state.experiment;
  return warmLogAlpha(subject.config, scores, scoreOptions(currentSettings(run)), prune.logAlpha);
}

/** Rates and targets of zero-based step `s`. */
function stepInputs(run: Run, settings: Experiment, s: number) {
  const { prune, clipNorm, seed, gates } = settings;
  const { config } = run.source;
  const share = learningRateShare(s, prune.steps, prune.learningRateWarmup, prune.learningRateFloor);
  const scheduled = scheduledTarget(planOf(run), run.state.stageStart + s, (at) =>
    targetSparsities(config, at.target, at.gates),
  );
  // Behind the schedule, so that a pin counts from the step on at which it was set.
  const target = prune.reachable ? reachableSparsities(config, scheduled, settings) : scheduled;
  return {
    step: s,
    seed,
    learningRate: prune.learningRate * share,
    gateLearningRate: prune.gateLearningRate * share,
    multiplierLearningRate: prune.multiplierLearningRate * share,
    weightDecay: prune.weightDecay,
    ...ADAM,
    clipNorm,
    temperature: prune.temperature,
    ...distillationInputs(settings),
    activeSets: GATE_SETS.reduce((bits, set, k) => bits | (gates[set] ? 1 << k : 0), 0),
    targetSparsity: GATE_SETS.map((set) => target[set]) as [number, number, number, number],
  };
}

function constraintOf({ constraint }: StepMetrics, learnt: LearntSets): Partial<StepEvent> {
  if (!constraint) return {};
  return {
    lagrangian: constraint.lagrangian,
    sparsity: Object.fromEntries(
      GATE_SETS.flatMap((set, k) => (learnt[set] ? [{ set, k }] : [])).map(({ set, k }) => [
        set,
        {
          expected: constraint.expectedSparsity[k]!,
          target: constraint.targetSparsity[k]!,
          lambda1: constraint.lambda1[k]!,
          lambda2: constraint.lambda2[k]!,
        },
      ]),
    ),
  };
}

/** Steps between two frames: some an evaluation, but no more in all than a log can hold. */
function frameInterval({ evaluation, prune }: Experiment, config: LlamaConfig): number {
  const most = Math.max(1, Math.min(MOST_FRAMES, Math.floor(MOST_FRAME_BYTES / gateLayout(config).total)));
  return Math.max(1, Math.round(evaluation.interval / FRAMES_AN_EVALUATION), Math.ceil(prune.steps / most));
}

/** The deterministic value of each gate before any is cut to 0; sets that are not learnt are open. */
function gatesEvent(
  config: LlamaConfig,
  step: number,
  logAlpha: Float32Array,
  learnt: LearntSets,
  temperature: number,
): GatesEvent {
  const layout = gateLayout(config);
  const values = new Uint8Array(layout.total).fill(255);
  for (const set of GATE_SETS as readonly GateSet[]) {
    if (!learnt[set]) continue;
    const { offset, rows, length } = layout[set];
    for (let i = offset; i < offset + rows * length; i++) {
      values[i] = Math.round(255 * softValue(logAlpha[i]!, temperature));
    }
  }
  return { type: 'gates', step, values };
}
