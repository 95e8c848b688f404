import { startMixture } from '../data/mixture';
import { evaluationWindows, startSampler } from '../data/sampler';
import type { Plan } from '../experiment/interventions';
import { allFinite } from '../fields/finite';
import { known, weightsHash } from '../formats/weights-hash';
import { shapeOf } from '../llama/config';
import { createInference } from '../llama/inference';
import { parameterLayout, type FlatModel } from '../llama/parameters';
import type { MethodId } from '../pruning/methods';
import { trains } from '../retraining';
import { checkExperiment } from './check-experiment';
import { cut } from './cut';
import type { StartedEvent } from './events';
import { decideByScores } from './decide-by-scores';
import { learnMasks } from './learn-masks';
import { domainLosses } from './losses';
import { evaluationShape } from './memory';
import { scalingShift, usesScalingLaw } from './reference-losses';
import { retrain } from './retrain';
import { currentSettings, type Decide, type Run, type RunContext } from './run-context';
import type { RunState } from './run-state';
import { mixtureAfterCut, where } from './stages';
import { sourceOnGpu, type SourceOnGpu } from './source-on-gpu';
import { prepareSubject } from './subject';
import { teachesRetraining } from './teacher';
import { snapshot } from './train-steps';

/** The models of a finished run: what the cut gave, and what retraining made of it, where there was any. */
export interface RunModels {
  pruned: FlatModel;
  retrained: FlatModel | null;
}

/** What came of a run in the end. */
export function finalModel({ pruned, retrained }: RunModels): FlatModel {
  return retrained ?? pruned;
}

type Saved = ReadonlyMap<string, Float32Array>;

/** How each method of the registry comes to its mask. */
const MASKS: Record<MethodId, Decide> = {
  sheared: learnMasks,
  'one-shot': decideByScores,
};

/** A run as it was kept: its state, the tensors of its stage, and the model as cut, after the cut. */
export interface SavedRun {
  state: RunState;
  tensors: Saved;
  pruned: FlatModel | null;
}

/**
 * Runs a plan: reference losses, the method's choice of units, the cut to exactly the target shape, retraining; the
 * mixture adapts in both stages. The same plan gives the same events on one adapter, but
 * for `elapsedMs`. The corpus is the model's own (src/data/corpus-fit.ts).
 *
 * @throws the control's reason when it is cancelled, or an Error of one sentence.
 */
export async function runExperiment(plan: Plan, context: RunContext): Promise<RunModels> {
  return withSource(context, async (onGpu) => {
    const run = await beginRun(plan, context, onGpu);
    context.emit(startedEvent(run));
    await run.keeper?.checkpoint(snapshot(run), new Map());
    return finishRun(run, { tensors: new Map(), pruned: null });
  });
}

/** Whatever comes of a run, the source's weights do not stay on the GPU. */
export async function withSource<T>(
  { gpu, source }: RunContext,
  use: (onGpu: SourceOnGpu) => Promise<T>,
): Promise<T> {
  const onGpu = sourceOnGpu(gpu, source);
  try {
    return await use(onGpu);
  } finally {
    onGpu.release();
  }
}

/**
 * Goes on with a run that was kept, as if it had never stopped: the events that follow those before its checkpoint
 * and the weights are the same bits, on the same adapter. A finished run ends at once unless more steps were
 * asked for.
 *
 * @throws as `runExperiment`
 */
export function resumeRun(saved: SavedRun, context: RunContext): Promise<RunModels> {
  return withSource(context, (onGpu) => {
    const run: Run = {
      ...context,
      state: structuredClone(saved.state),
      windows: runWindows(saved.state.experiment, context),
      sourceOnGpu: onGpu,
    };
    return finishRun(run, saved);
  });
}

async function finishRun(run: Run, { tensors, pruned: cutBefore }: Omit<SavedRun, 'state'>) {
  const { state, emit } = run;
  let saved = tensors;
  let pruned = cutBefore;
  if (state.stage === 'prune') {
    const subject = await prepareSubject(run, saved.size === 0 && state.race === null);
    const decided = await MASKS[state.experiment.method](run, subject, saved).finally(() =>
      subject.release(),
    );
    if (!teachesRetraining(state.experiment)) run.sourceOnGpu.release();
    const result = await cut(run, decided);
    pruned = result.pruned;
    emit(result.surgery);
    state.surgery = result.surgery;
    state.stage = 'retrain';
    state.stageStart = state.step;
    state.mixture = mixtureAfterCut(run);
    saved = result.moments;
    await run.keeper?.keepPruned(pruned);
    await run.keeper?.checkpoint(snapshot(run), saved);
  }
  const { surgery } = state;
  if (!pruned || !surgery)
    throw new Error('The checkpoint lacks the model as it was cut: start the run again.');
  const models: RunModels = {
    pruned,
    retrained: trains(state.experiment.retraining)
      ? await retrain(run, pruned, surgery.loss.pruned, saved)
      : null,
  };
  const final = finalModel(models);
  emit({
    type: 'finished',
    ...where(run),
    summary: {
      target: currentSettings(run).target,
      achieved: shapeOf(final.config),
      parameters: { source: state.source.parameters, pruned: surgery.parameters },
      domains: run.corpus.domains.map(({ name }) => name),
      loss: {
        source: state.referenceLoss,
        ...surgery.loss,
        retrained: models.retrained ? state.loss : null,
      },
      maskedVersusPruned: surgery.maskedVersusPruned,
      mixture: state.mixture,
      tokens: state.tokens,
      ...known(await weightsHash(final)),
    },
  });
  return models;
}

function startedEvent({ state, source, corpus, version }: Run): StartedEvent {
  return {
    type: 'started',
    experiment: state.experiment,
    source: {
      name: source.name,
      config: source.config,
      parameters: state.source.parameters,
      ...known(source.weightsSha256),
    },
    domains: corpus.domains.map(({ name }) => name),
    adapter: state.adapter,
    version,
    referenceLoss: state.referenceLoss,
    ...(state.scalingLaw && { scalingLaw: state.scalingLaw }),
    mixture: state.mixture,
  };
}

/**
 * Sampler and mixture at their start, the source model's losses on the run's windows, and the reference losses
 * that follow from them.
 *
 * @throws one sentence when the experiment does not fit the source model or its family.
 */
export async function beginRun(
  { experiment, interventions }: Plan,
  context: RunContext,
  onGpu: SourceOnGpu,
): Promise<Run> {
  const { source, corpus, gpu } = context;
  checkExperiment(experiment, source.config);
  const { mode, weights } = experiment.mixture;
  const scaling = usesScalingLaw(experiment)
    ? scalingShift(
        experiment,
        source,
        context.family ?? [],
        corpus.domains.map((d) => d.name),
      )
    : null;
  const run: Run = {
    ...context,
    state: {
      version: 1,
      experiment,
      interventions: [...interventions],
      applied: 0,
      source: {
        name: source.name,
        weightsSha256: source.weightsSha256,
        parameters: parameterLayout(source.config).parameterCount,
      },
      adapter: gpu.adapter,
      stage: 'prune',
      step: 0,
      stageStart: 0,
      tokens: 0,
      elapsedMs: 0,
      sampler: startSampler(experiment.seed, experiment.contextLength, corpus.domains.length),
      mixture: startMixture(
        mode,
        weights,
        corpus.domains.map((d) => d.weight),
      ),
      referenceLoss: [],
      scalingLaw: null,
      loss: null,
      race: null,
      surgery: null,
    },
    windows: runWindows(experiment, context),
    sourceOnGpu: onGpu,
  };
  const { state } = run;
  const inference = await createInference(gpu, 'source model', onGpu.view(), evaluationShape(experiment));
  try {
    state.referenceLoss = await domainLosses(run, inference, 'Measuring the source model’s reference losses');
  } finally {
    inference.destroy();
  }
  if (scaling) {
    const { shift, parameters, extrapolated } = scaling;
    // As losses are measured, in float32: the fit's powers may have another last digit in another engine.
    const loss = state.referenceLoss.map((own, i) => Math.fround(own + shift[i]!));
    state.scalingLaw = {
      loss: allFinite(loss, 'The reference loss of the scaling law'),
      parameters,
      extrapolated,
    };
  }
  return run;
}

function runWindows({ contextLength, evaluation }: Plan['experiment'], { corpus }: RunContext) {
  return corpus.domains.map((domain) => evaluationWindows(domain, contextLength, evaluation.windows));
}
