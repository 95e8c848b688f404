import { allFinite, finite, tellingWhere } from '../fields/finite';
import type { Corpus } from '../data/corpus';
import { startMixture, updateMixture } from '../data/mixture';
import type { ModelCard } from '../data/model-family';
import { evaluationWindows, startSampler } from '../data/sampler';
import { weightsHash } from '../formats/weights-hash';
import type { Gpu } from '../gpu/device';
import { softValue } from '../kernels/hard-concrete-distribution';
import type { GateSet } from '../kernels/step-inputs';
import { shapeOf, type LlamaConfig } from '../llama/config';
import { evaluateSets, meanLoss, type WindowSet } from '../llama/evaluate';
import { gateLayout } from '../llama/gates';
import { createInference, withModel, type Inference } from '../llama/inference';
import { parameterLayout, type FlatModel } from '../llama/parameters';
import { logitsRows } from '../llama/workspace';
import { learntGates, readLogAlpha } from '../pruning/learnt-gates';
import { deterministicMask, maskShape, targetSparsities, type LearntSets } from '../pruning/masks';
import { cutModel } from '../pruning/surgery';
import { checkTarget } from '../pruning/target-shape';
import { createTrainer, type Trainer, type TrainerOptions } from '../training/trainer';
import type { RunTurn } from './control';
import type { GatesEvent, RunEvent, StartedEvent, SurgeryEvent } from './events';
import { evaluationShape } from './memory';
import { scalingShift, usesScalingLaw } from './reference-losses';
import type { Experiment } from '../experiment/schema';
import { trainStage, type RunState } from './train-stage';

/** The model that is pruned. */
export interface SourceModel extends FlatModel {
  name: string;
  /** What it is known by (src/formats/weights-hash.ts); null where there are no digests. */
  weightsSha256: string | null;
}

export interface RunContext {
  gpu: Gpu;
  source: SourceModel;
  corpus: Corpus;
  /** The source's family (`readFamily`), for an experiment that `usesScalingLaw`. */
  family?: readonly ModelCard[];
  turn: RunTurn;
  version: string;
  emit(event: RunEvent): void;
  /** What goes on between events, with the share done. */
  activity(what: string, done: number, total: number): void;
}

/** Windows whose logits decide masked == pruned. */
const COMPARED_WINDOWS = 2;

/** @throws one sentence that names the field when the experiment does not fit the model. */
export function checkExperiment(experiment: Experiment, source: LlamaConfig): void {
  const problem = checkTarget(source, experiment.target, experiment.gates)[0];
  if (problem) throw new Error(problem.message);
  if (experiment.contextLength > source.maxPositionEmbeddings) {
    throw new Error(
      `Context (contextLength) is ${experiment.contextLength}, more than the ${source.maxPositionEmbeddings} positions of the source model.`,
    );
  }
}

/** The models of a finished run: what the cut gave, and what retraining made of it, where there was any. */
export interface RunModels {
  pruned: FlatModel;
  retrained: FlatModel | null;
}

/** What came of a run in the end. */
export function finalModel({ pruned, retrained }: RunModels): FlatModel {
  return retrained ?? pruned;
}

/** What the stages of one run share. */
export interface Run extends RunContext {
  experiment: Experiment;
  state: RunState;
  /** Held-out windows of each domain, the same at every evaluation. */
  windows: WindowSet[];
  /** The source's own loss by domain on them. */
  sourceLoss: number[];
  /** What each domain's loss should reach on them; null: what the source does. */
  scalingLaw: NonNullable<StartedEvent['scalingLaw']> | null;
}

/**
 * Runs an experiment: reference losses, pruning with learnt masks under the constraint, the cut to exactly the
 * target shape, retraining; the mixture adapts in both stages. The same experiment gives the same events on
 * one adapter, but for `elapsedMs`. The corpus is the model's own (src/data/corpus-fit.ts).
 *
 * @throws RunCancelled when the control says so, or an Error of one sentence.
 */
export async function runExperiment(experiment: Experiment, context: RunContext): Promise<RunModels> {
  const { source, corpus, emit } = context;
  const run = await beginRun(experiment, context);
  const domains = corpus.domains.map((d) => d.name);
  const sourceParameters = parameterLayout(source.config).parameterCount;
  emit({
    type: 'started',
    experiment,
    source: {
      name: source.name,
      config: source.config,
      parameters: sourceParameters,
      ...known(source.weightsSha256),
    },
    domains,
    adapter: context.gpu.adapter,
    version: context.version,
    referenceLoss: run.sourceLoss,
    ...(run.scalingLaw && { scalingLaw: run.scalingLaw }),
    mixture: run.state.mixture,
  });

  const { pruned, surgery } = await prune(run);
  const retrained =
    experiment.retraining === 'continued' ? await retrain(run, pruned, surgery.loss.pruned) : null;
  const models: RunModels = { pruned, retrained: retrained?.model ?? null };
  const final = finalModel(models);
  const { config } = final;
  emit({
    type: 'finished',
    step: run.state.step,
    tokens: run.state.tokens,
    elapsedMs: context.turn.elapsedMs(),
    summary: {
      target: experiment.target,
      achieved: shapeOf(config),
      parameters: {
        source: sourceParameters,
        pruned: parameterLayout(config).parameterCount,
      },
      domains,
      loss: { source: run.sourceLoss, ...surgery.loss, retrained: retrained?.loss ?? null },
      maskedVersusPruned: surgery.maskedVersusPruned,
      mixture: run.state.mixture,
      tokens: run.state.tokens,
      ...known(await weightsHash(final)),
    },
  });
  return models;
}

/** A hash where it is known. */
function known(weightsSha256: string | null): { weightsSha256?: string } {
  return weightsSha256 === null ? {} : { weightsSha256 };
}

/**
 * Sampler and mixture at their start, the source model's losses on the run's windows, and the reference losses
 * that follow from them.
 *
 * @throws one sentence when the experiment does not fit the source model or its family.
 */
export async function beginRun(experiment: Experiment, context: RunContext): Promise<Run> {
  const { source, corpus } = context;
  checkExperiment(experiment, source.config);
  const { mode, weights } = experiment.mixture;
  const domains = corpus.domains.map((d) => d.name);
  const scaling = usesScalingLaw(experiment)
    ? scalingShift(experiment, source, context.family ?? [], domains)
    : null;
  const run: Run = {
    ...context,
    experiment,
    state: {
      sampler: startSampler(experiment.seed, experiment.contextLength, corpus.domains.length),
      mixture: startMixture(
        mode,
        weights,
        corpus.domains.map((d) => d.weight),
      ),
      step: 0,
      tokens: 0,
    },
    windows: corpus.domains.map((d) =>
      evaluationWindows(d, experiment.contextLength, experiment.evaluation.windows),
    ),
    sourceLoss: [],
    scalingLaw: null,
  };
  run.sourceLoss = await lend(run, 'source model', source, (inference) =>
    domainLosses(run, inference, 'Measuring the source model’s reference losses'),
  );
  if (scaling) {
    const { shift, parameters, extrapolated } = scaling;
    run.scalingLaw = { loss: run.sourceLoss.map((loss, i) => loss + shift[i]!), parameters, extrapolated };
  }
  return run;
}

/** Weights, gates and multipliers together, then the cut. */
async function prune(run: Run): Promise<{ pruned: FlatModel; surgery: SurgeryEvent }> {
  const { experiment, source, state, emit } = run;
  const { config } = source;
  const learnt: LearntSets = experiment.gates;
  const { temperature } = experiment.prune;
  const options: TrainerOptions = {
    ...source,
    label: 'pruning',
    shape: { batch: experiment.prune.batchSize, context: experiment.contextLength },
    extension: learntGates(config, experiment.prune),
  };
  const learned = await withTrainer(run, options, async (trainer, masked) => {
    await trainStage({
      ...run,
      stage: 'prune',
      trainer,
      constraint: {
        sparsities: targetSparsities(config, experiment.target, learnt),
        learnt,
        onGates: (step, values) => emit(gatesEvent(config, step, values, learnt, temperature)),
      },
      async evaluate() {
        const mask = deterministicMask(config, await readLogAlpha(trainer), learnt, temperature, null);
        masked.setGates(mask);
        const loss = await domainLosses(run, masked, 'Evaluating the masked model');
        adaptMixture(run, loss);
        const shape = maskShape(config, mask);
        emit({ type: 'evaluation', stage: 'prune', ...where(run), loss, mixture: state.mixture, shape });
      },
    });
    return {
      parameters: allFinite(await trainer.read('weights'), `The weights after step ${state.step}`),
      logAlpha: allFinite(await readLogAlpha(trainer), `log α after step ${state.step}`),
    };
  });

  run.activity('Cutting the model to shape', 0, 1);
  const { parameters } = learned;
  const mask = deterministicMask(config, learned.logAlpha, learnt, temperature, experiment.target);
  const cut = cutModel(config, parameters, mask);
  const compared = await lend(run, 'masked model', { config, parameters }, async (masked) => {
    masked.setGates(mask);
    const maskedLoss = await domainLosses(run, masked, 'Evaluating the masked model at its final shape');
    return lend(run, 'pruned model', cut, async (inference) => ({
      loss: {
        masked: maskedLoss,
        pruned: await domainLosses(run, inference, 'Evaluating the pruned model'),
      },
      difference: await largestLogitDifference(masked, inference, run.windows),
    }));
  });
  const surgery: SurgeryEvent = {
    type: 'surgery',
    step: state.step,
    elapsedMs: run.turn.elapsedMs(),
    config: cut.config,
    parameters: parameterLayout(cut.config).parameterCount,
    ...known(await weightsHash(cut)),
    kept: cut.kept,
    maskedVersusPruned: compared.difference,
    loss: compared.loss,
  };
  emit(surgery);
  return { pruned: cut, surgery };
}

/**
 * The retraining stage: plain training of `start`, from the mixture that the run is at, which the model's own
 * losses move once more before the first step (docs/method.md, section 7).
 */
export async function retrain(
  run: Run,
  start: FlatModel,
  lossAtStart: number[],
): Promise<{ model: FlatModel; loss: number[] }> {
  const { experiment, state, emit } = run;
  const tell = (loss: number[]) => {
    adaptMixture(run, loss);
    emit({ type: 'evaluation', stage: 'retrain', ...where(run), loss, mixture: state.mixture });
  };
  tell(lossAtStart);
  const options: TrainerOptions = {
    ...start,
    label: 'retraining',
    shape: { batch: experiment.retrain.batchSize, context: experiment.contextLength },
    extension: null,
  };
  return withTrainer(run, options, async (trainer, inference) => {
    let loss = lossAtStart;
    await trainStage({
      ...run,
      stage: 'retrain',
      trainer,
      async evaluate() {
        loss = await domainLosses(run, inference, 'Evaluating the model in training');
        tell(loss);
      },
    });
    const parameters = allFinite(await trainer.read('weights'), `The weights after step ${state.step}`);
    return { model: { config: start.config, parameters }, loss };
  });
}

function where({ state, turn }: Run) {
  return { step: state.step, tokens: state.tokens, elapsedMs: turn.elapsedMs() };
}

function adaptMixture({ experiment, state, sourceLoss, scalingLaw }: Run, loss: number[]): void {
  const { mode, clamp, smoothing } = experiment.mixture;
  const reference = scalingLaw?.loss ?? sourceLoss;
  state.mixture = updateMixture({ mode, weights: state.mixture, loss, reference, clamp, smoothing });
}

/** Loss by domain on the run's windows. */
export async function domainLosses(run: Run, inference: Inference, what: string): Promise<number[]> {
  const { step } = run.state;
  const sums = await tellingWhere(step === 0 ? 'Before the first step' : `After step ${step}`, () =>
    evaluateSets(inference, run.windows, async (done, total) => {
      run.activity(what, done, total);
      await run.turn.work();
    }),
  );
  return sums.map(meanLoss);
}

/** Lends a model at the shape of the run's evaluations. */
export function lend<T>(
  { gpu, experiment }: Run,
  label: string,
  model: FlatModel,
  use: (inference: Inference) => Promise<T>,
): Promise<T> {
  return withModel(gpu, label, model, evaluationShape(experiment), use);
}

/** Lends a trainer and an inference over the weights it trains. */
async function withTrainer<T>(
  run: Run,
  options: TrainerOptions,
  use: (trainer: Trainer, inference: Inference) => Promise<T>,
): Promise<T> {
  const trainer = await createTrainer(run.gpu, options);
  try {
    const shape = evaluationShape(run.experiment);
    const inference = await createInference(run.gpu, 'model in training', trainer.model, shape);
    try {
      return await use(trainer, inference);
    } finally {
      inference.destroy();
    }
  } finally {
    trainer.destroy();
  }
}

/** The invariant of surgery: the masked source and the cut model give the same logits. */
async function largestLogitDifference(
  masked: Inference,
  pruned: Inference,
  sets: readonly WindowSet[],
): Promise<number> {
  const { batch, context } = masked.shape;
  const windows = sets.slice(0, Math.min(COMPARED_WINDOWS, batch)).map((s) => s.tokens.subarray(0, context));
  const tokens = new Uint32Array(batch * context);
  windows.forEach((w, i) => tokens.set(w, i * context));
  const rows = windows.length * context;
  const chunk = logitsRows(masked.config, masked.shape);
  let largest = 0;
  for (let first = 0; first < rows; first += chunk) {
    const count = Math.min(chunk, rows - first);
    const a = await masked.logits(tokens, first, count);
    const b = await pruned.logits(tokens, first, count);
    for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  }
  // Math.max keeps a NaN.
  return finite(largest, 'The largest difference of logits, masked model against pruned');
}

/** Gates as the anatomy draws them: the deterministic value of each, before any is cut to 0. */
function gatesEvent(
  config: LlamaConfig,
  step: number,
  logAlpha: Float32Array,
  learnt: LearntSets,
  temperature: number,
): GatesEvent {
  const layout = gateLayout(config);
  const row = (set: GateSet, r: number) => {
    const { offset, length } = layout[set];
    return Array.from({ length }, (_, i) =>
      learnt[set] ? Math.round(255 * softValue(logAlpha[offset + r * length + i]!, temperature)) : 255,
    );
  };
  const rows = (set: GateSet) => Array.from({ length: layout[set].rows }, (_, r) => row(set, r));
  return {
    type: 'gates',
    step,
    hidden: row('hidden', 0),
    heads: rows('head'),
    intermediate: rows('intermediate'),
    layers: row('layer', 0),
  };
}
