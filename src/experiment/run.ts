import type { Corpus } from '../data/corpus';
import { startMixture, updateMixture } from '../data/mixture';
import { evaluationWindows, nextBatch, startSampler } from '../data/sampler';
import type { Gpu } from '../gpu/device';
import { GATE_SETS, type GateSet } from '../kernels/step-inputs';
import { shapeOf, type LlamaConfig } from '../llama/config';
import { evaluateSets, meanLoss, type WindowSet } from '../llama/evaluate';
import { gateLayout } from '../llama/gates';
import { createInference, openGates, uploadModel, type Inference } from '../llama/inference';
import { parameterLayout } from '../llama/parameters';
import { deterministicMask, maskShape, targetSparsities, type LearntSets } from '../pruning/masks';
import { softValue } from '../kernels/hard-concrete.reference';
import { cutModel } from '../pruning/surgery';
import { checkTarget } from '../pruning/target-shape';
import { learningRateShare, sparsityShare } from '../training/schedule';
import { createTrainer, type Trainer } from '../training/trainer';
import type { StepMetrics } from '../kernels/step-metrics';
import type { RunTurn } from './control';
import { evaluationShape } from './memory';
import type { GatesEvent, RunEvent, RunSummary, Stage, StepEvent } from './events';
import type { Experiment } from './schema';

/** The model that is pruned, as it was read: its flat parameters stay on the CPU for the cut. */
export interface SourceModel {
  name: string;
  config: LlamaConfig;
  parameters: Float32Array;
}

export interface RunContext {
  gpu: Gpu;
  source: SourceModel;
  corpus: Corpus;
  turn: RunTurn;
  version: string;
  emit(event: RunEvent): void;
  /** What goes on between events, with the share done. */
  activity(what: string, done: number, total: number): void;
}

export interface PrunedModel {
  config: LlamaConfig;
  parameters: Float32Array;
}

/** Windows whose logits decide masked == pruned. */
const COMPARED_WINDOWS = 2;
/** Steps that may be on their way to the GPU before the oldest one's metrics are waited for. */
const STEPS_IN_FLIGHT = 2;
/** Steps in a row whose gradient may be NaN or infinite (their update is skipped) before a run gives up. */
const BROKEN_STEPS_ALLOWED = 5;
const ADAM = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

/** @throws one sentence that names the field when the experiment does not fit the model or the corpus. */
export function checkExperiment(experiment: Experiment, source: LlamaConfig, corpus: Corpus): void {
  const problem = checkTarget(source, experiment.target, experiment.gates)[0];
  if (problem) throw new Error(problem.message);
  if (experiment.contextLength > source.maxPositionEmbeddings) {
    throw new Error(
      `Context (contextLength) is ${experiment.contextLength}, more than the ${source.maxPositionEmbeddings} positions of the source model.`,
    );
  }
  if (corpus.vocabSize > source.vocabSize) {
    throw new Error(
      `The corpus has token ids up to ${corpus.vocabSize - 1}, but the source model's vocabulary has ${source.vocabSize}: choose a model with the corpus' tokenizer.`,
    );
  }
}

/**
 * Runs an experiment: the source's own losses as reference, pruning with learnt masks under the
 * constraint, the cut to exactly the target shape, retraining; the mixture adapts in both stages. The same
 * experiment gives the same events on one adapter, but for `elapsedMs`.
 *
 * @throws RunCancelled when the control says so, or an Error of one sentence.
 */
export async function runExperiment(experiment: Experiment, context: RunContext): Promise<PrunedModel> {
  const { gpu, source, corpus, turn, emit } = context;
  checkExperiment(experiment, source.config, corpus);
  const sets = corpus.domains.map((d) =>
    evaluationWindows(d, experiment.contextLength, experiment.evaluation.windows),
  );
  const shape = evaluationShape(experiment);

  const evaluate = async (inference: Inference, what: string): Promise<number[]> => {
    const sums = await evaluateSets(inference, sets, async (done, total) => {
      context.activity(what, done, total);
      await turn.work();
    });
    return sums.map(meanLoss);
  };

  const reference = await measureSource(gpu, source, shape, evaluate);
  let mixture = startMixture(
    experiment.mixture.mode,
    experiment.mixture.weights,
    corpus.domains.map((d) => d.weight),
  );
  emit({
    type: 'started',
    experiment,
    source: {
      name: source.name,
      config: source.config,
      parameters: parameterLayout(source.config).parameterCount,
    },
    domains: corpus.domains.map((d) => d.name),
    adapter: gpu.adapter,
    version: context.version,
    referenceLoss: reference,
    mixture,
  });

  const progress = { step: 0, tokens: 0 };
  let sampler = startSampler(experiment.seed, experiment.contextLength, corpus.domains.length);
  const adapt = (loss: number[]) => {
    const { mode, clamp, smoothing } = experiment.mixture;
    mixture = updateMixture({ mode, weights: mixture, loss, reference, clamp, smoothing });
  };

  /** The steps of one stage, with an evaluation (and a new mixture) every so many steps and at the end. */
  const train = async (
    stage: Stage,
    trainer: Trainer,
    settings: Experiment['prune'] | Experiment['retrain'],
    gates: { sparsities: Record<GateSet, number>; learnt: LearntSets } | null,
    evaluateNow: (stepInStage: number) => Promise<void>,
  ) => {
    const inFlight: Promise<void>[] = [];
    let broken = 0;
    const record = (result: StepMetrics, at: { step: number; tokens: number }) => {
      broken = result.nonFinite ? broken + 1 : 0;
      if (broken >= BROKEN_STEPS_ALLOWED) {
        throw new Error(
          `Training broke down at step ${at.step}: gradients are not finite. Lower the learning rate (${stage}.learningRate).`,
        );
      }
      emit({
        type: 'step',
        stage,
        ...at,
        elapsedMs: turn.elapsedMs(),
        loss: result.meanLoss,
        domainLoss: corpus.domains.map((_, i) => {
          const { meanLoss, windows } = result.domains[i]!;
          return windows > 0 ? meanLoss : null;
        }),
        gradientNorm: result.gradientNorm,
        learningRate: result.learningRate,
        ...(gates && result.constraint && constraintFields(result.constraint, gates.learnt)),
      });
    };
    for (let s = 0; s < settings.steps; s++) {
      await turn.step();
      const drawn = nextBatch(sampler, corpus, mixture, settings.batchSize);
      sampler = drawn.state;
      progress.step++;
      progress.tokens += settings.batchSize * experiment.contextLength;
      const share = learningRateShare(
        s,
        settings.steps,
        settings.learningRateWarmup,
        settings.learningRateFloor,
      );
      const prune = gates && experiment.prune;
      const rise = prune ? sparsityShare(s, prune.steps, prune.sparsityWarmup) : 0;
      const at = { ...progress };
      const metrics = trainer.step(drawn.batch, {
        step: s,
        seed: experiment.seed,
        learningRate: settings.learningRate * share,
        gateLearningRate: prune ? prune.gateLearningRate * share : 0,
        multiplierLearningRate: prune ? prune.multiplierLearningRate * share : 0,
        weightDecay: settings.weightDecay,
        ...ADAM,
        clipNorm: experiment.clipNorm,
        temperature: experiment.prune.temperature,
        activeSets: gates
          ? GATE_SETS.reduce((bits, set, k) => bits | (gates.learnt[set] ? 1 << k : 0), 0)
          : 0,
        targetSparsity: GATE_SETS.map((set) => (gates ? gates.sparsities[set] * rise : 0)) as [
          number,
          number,
          number,
          number,
        ],
      });
      inFlight.push(metrics.then((result) => record(result, at)));
      if (inFlight.length > STEPS_IN_FLIGHT) await inFlight.shift();
      const last = s + 1 === settings.steps;
      if (last || (s + 1) % experiment.evaluation.interval === 0) {
        for (const pending of inFlight.splice(0)) await pending;
        await evaluateNow(s + 1);
      } else if (turn.paused()) {
        for (const pending of inFlight.splice(0)) await pending;
      }
    }
  };

  // Pruning: weights, gates and multipliers together.
  const learnt: LearntSets = experiment.gates;
  const { temperature } = experiment.prune;
  const trainer = await createTrainer(gpu, {
    config: source.config,
    parameters: source.parameters,
    shape: { batch: experiment.prune.batchSize, context: experiment.contextLength },
    gates: {
      logAlpha: experiment.prune.logAlpha,
      quadraticMultiplier: experiment.prune.quadraticMultiplier,
    },
  });
  let pruned: PrunedModel;
  let maskedLoss: number[];
  let maskedVersusPruned: number;
  let prunedLoss: number[];
  try {
    const masked = await createInference(gpu, 'masked model', trainer.model, shape);
    try {
      await train(
        'prune',
        trainer,
        experiment.prune,
        { sparsities: targetSparsities(source.config, experiment.target, learnt), learnt },
        async () => {
          const logAlpha = await trainer.readLogAlpha();
          const mask = deterministicMask(source.config, logAlpha, learnt, temperature, null);
          masked.setGates(mask);
          const loss = await evaluate(masked, 'Evaluating the masked model');
          adapt(loss);
          emit(gatesEvent(source.config, progress.step, logAlpha, learnt, temperature));
          emit({
            type: 'evaluation',
            stage: 'prune',
            ...progress,
            elapsedMs: turn.elapsedMs(),
            loss,
            mixture,
            shape: maskShape(source.config, mask),
          });
        },
      );
      context.activity('Cutting the model to shape', 0, 1);
      const mask = deterministicMask(
        source.config,
        await trainer.readLogAlpha(),
        learnt,
        temperature,
        experiment.target,
      );
      const cut = cutModel(source.config, await trainer.readParameters(), mask);
      pruned = cut;
      masked.setGates(mask);
      maskedLoss = await evaluate(masked, 'Evaluating the masked model at its final shape');
      const cutModelOnGpu = uploadModel(gpu, 'pruned model', cut.config, cut.parameters);
      try {
        const small = await createInference(gpu, 'pruned model', cutModelOnGpu, shape);
        try {
          prunedLoss = await evaluate(small, 'Evaluating the pruned model');
          maskedVersusPruned = await largestLogitDifference(masked, small, sets);
        } finally {
          small.destroy();
        }
      } finally {
        cutModelOnGpu.destroy();
      }
      emit({
        type: 'surgery',
        step: progress.step,
        elapsedMs: turn.elapsedMs(),
        config: cut.config,
        parameters: parameterLayout(cut.config).parameterCount,
        kept: cut.kept,
        maskedVersusPruned,
        loss: { masked: maskedLoss, pruned: prunedLoss },
      });
    } finally {
      masked.destroy();
    }
  } finally {
    trainer.destroy();
  }

  let retrainedLoss: number[] | null = null;
  if (experiment.retraining === 'continued') {
    const retrainer = await createTrainer(gpu, {
      config: pruned.config,
      parameters: pruned.parameters,
      shape: { batch: experiment.retrain.batchSize, context: experiment.contextLength },
      gates: null,
    });
    try {
      const inference = await createInference(gpu, 'retrained model', retrainer.model, shape);
      try {
        await train('retrain', retrainer, experiment.retrain, null, async () => {
          const loss = await evaluate(inference, 'Evaluating the pruned model');
          adapt(loss);
          retrainedLoss = loss;
          emit({
            type: 'evaluation',
            stage: 'retrain',
            ...progress,
            elapsedMs: turn.elapsedMs(),
            loss,
            mixture,
          });
        });
      } finally {
        inference.destroy();
      }
      pruned = { config: pruned.config, parameters: await retrainer.readParameters() };
    } finally {
      retrainer.destroy();
    }
  }

  const summary: RunSummary = {
    target: experiment.target,
    achieved: shapeOf(pruned.config),
    parameters: {
      source: parameterLayout(source.config).parameterCount,
      pruned: parameterLayout(pruned.config).parameterCount,
    },
    domains: corpus.domains.map((d) => d.name),
    loss: { source: reference, masked: maskedLoss, pruned: prunedLoss, retrained: retrainedLoss },
    maskedVersusPruned,
    mixture,
    tokens: progress.tokens,
  };
  emit({ type: 'finished', ...progress, elapsedMs: turn.elapsedMs(), summary });
  return pruned;
}

function constraintFields(
  state: NonNullable<StepMetrics['constraint']>,
  learnt: LearntSets,
): Pick<StepEvent, 'lagrangian' | 'sparsity'> {
  const entries = GATE_SETS.filter((set) => learnt[set]).map((set) => [
    set,
    {
      expected: state.expectedSparsity[set],
      target: state.targetSparsity[set],
      lambda1: state.lambda1[set],
      lambda2: state.lambda2[set],
    },
  ]);
  return { lagrangian: state.lagrangian, sparsity: Object.fromEntries(entries) as StepEvent['sparsity'] };
}

async function measureSource(
  gpu: Gpu,
  source: SourceModel,
  shape: { batch: number; context: number },
  evaluate: (inference: Inference, what: string) => Promise<number[]>,
): Promise<number[]> {
  const model = uploadModel(gpu, 'source model', source.config, source.parameters);
  try {
    const inference = await createInference(gpu, 'source model', model, shape);
    try {
      inference.setGates(openGates(source.config));
      return await evaluate(inference, 'Measuring the source model’s reference losses');
    } finally {
      inference.destroy();
    }
  } finally {
    model.destroy();
  }
}

/** The invariant of surgery: the masked source and the cut model give the same logits. */
async function largestLogitDifference(
  masked: Inference,
  pruned: Inference,
  sets: readonly WindowSet[],
): Promise<number> {
  const { batch, context } = masked.shape;
  const windows = sets.slice(0, COMPARED_WINDOWS).map((s) => s.tokens.subarray(0, context));
  const tokens = new Uint32Array(batch * context);
  windows.forEach((w, i) => tokens.set(w, i * context));
  const rows = windows.length * context;
  const a = await masked.logits(tokens, 0, rows);
  const b = await pruned.logits(tokens, 0, rows);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
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
