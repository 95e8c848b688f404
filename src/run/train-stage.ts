import type { Corpus } from '../data/corpus';
import { nextBatch, type SamplerState } from '../data/sampler';
import { GATE_SETS, type GateSet, type StepInputs } from '../kernels/step-inputs';
import type { StepMetrics } from '../kernels/step-metrics';
import { readLogAlpha } from '../pruning/learnt-gates';
import type { LearntSets } from '../pruning/masks';
import { learningRateShare, sparsityShare } from '../training/schedule';
import type { Trainer } from '../training/trainer';
import type { RunTurn } from './control';
import type { RunEvent, Stage, StepEvent } from './events';
import { createStepCheck } from './finite-step';
import type { Experiment } from '../experiment/schema';

/** What moves while a run goes: plain data, changed in place by its stages. */
export interface RunState {
  sampler: SamplerState;
  /** Sampling weights of the next batch. */
  mixture: number[];
  /** Steps and tokens done through the whole run. */
  step: number;
  tokens: number;
}

/** Steps that may be on their way to the GPU before the oldest one's metrics are waited for. */
const STEPS_IN_FLIGHT = 2;
/** Gates are shown this many times between two evaluations. */
const GATE_FRAMES = 5;
/** Adam as published (docs/method.md, section 8), the same for weights, gates and multipliers. */
export const ADAM = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

export interface StageOptions {
  stage: Stage;
  experiment: Experiment;
  trainer: Trainer;
  corpus: Corpus;
  state: RunState;
  turn: RunTurn;
  emit(event: RunEvent): void;
  /** Called with nothing in flight, every `evaluation.interval` steps and after the last. */
  evaluate(): Promise<void>;
  /** The constraint, while pruning: final sparsities, and which sets are learnt. */
  constraint?: {
    sparsities: Record<GateSet, number>;
    learnt: LearntSets;
    onGates(step: number, logAlpha: Float32Array): void;
  };
}

/** The optimiser steps of one stage, a few in flight at a time; events come in order. @throws RunCancelled */
export async function trainStage(options: StageOptions): Promise<void> {
  const { stage, experiment, trainer, corpus, state, turn, constraint } = options;
  const settings = stage === 'prune' ? experiment.prune : experiment.retrain;
  const { interval } = experiment.evaluation;
  const gateInterval = Math.max(1, Math.round(interval / GATE_FRAMES));
  const inFlight: {
    at: { step: number; tokens: number };
    metrics: Promise<StepMetrics>;
    logAlpha: Promise<Float32Array> | null;
  }[] = [];
  const check = createStepCheck(
    stage,
    corpus.domains.map(({ name }) => name),
  );

  /** Waits until at most `left` steps are in flight, and tells of those that came back. */
  const settle = async (left: number) => {
    while (inFlight.length > left) {
      const { at, metrics, logAlpha } = inFlight[0]!;
      const result = await metrics;
      check(at.step, result);
      options.emit(stepEvent(options, at, result));
      if (logAlpha) constraint?.onGates(at.step, await logAlpha);
      inFlight.shift();
    }
  };

  const oneStep = async (s: number) => {
    if (turn.paused()) await settle(0);
    await turn.step();
    const { batch, state: sampler } = nextBatch(state.sampler, corpus, state.mixture, settings.batchSize);
    state.sampler = sampler;
    state.step++;
    state.tokens += batch.tokens.length;
    const metrics = trainer.step(batch, stepInputs(options, s));
    const last = s + 1 === settings.steps;
    const evaluates = last || (s + 1) % interval === 0;
    const logAlpha = constraint && (evaluates || (s + 1) % gateInterval === 0) ? readLogAlpha(trainer) : null;
    // A failure is met when the step is waited for; one met later still must not go unheard.
    metrics.catch(() => undefined);
    logAlpha?.catch(() => undefined);
    inFlight.push({ at: { step: state.step, tokens: state.tokens }, metrics, logAlpha });
    await settle(evaluates ? 0 : STEPS_IN_FLIGHT);
    if (evaluates) await options.evaluate();
  };

  try {
    for (let s = 0; s < settings.steps; s++) await oneStep(s);
  } finally {
    // Nothing is given back while the GPU still writes to it.
    await Promise.allSettled(
      inFlight.flatMap(({ metrics, logAlpha }) => (logAlpha ? [metrics, logAlpha] : [metrics])),
    );
  }
}

/** Rates and targets of zero-based step `s` of a stage. */
function stepInputs(
  { stage, experiment, constraint }: StageOptions,
  s: number,
): Omit<StepInputs, 'ringSlot'> {
  const settings = stage === 'prune' ? experiment.prune : experiment.retrain;
  const { prune } = experiment;
  const share = learningRateShare(s, settings.steps, settings.learningRateWarmup, settings.learningRateFloor);
  const rise = sparsityShare(s, prune.steps, prune.sparsityWarmup);
  const target = (set: GateSet) => (constraint ? constraint.sparsities[set] * rise : 0);
  return {
    step: s,
    seed: experiment.seed,
    learningRate: settings.learningRate * share,
    gateLearningRate: constraint ? prune.gateLearningRate * share : 0,
    multiplierLearningRate: constraint ? prune.multiplierLearningRate * share : 0,
    weightDecay: settings.weightDecay,
    ...ADAM,
    clipNorm: experiment.clipNorm,
    temperature: prune.temperature,
    activeSets: GATE_SETS.reduce((bits, set, k) => bits | (constraint?.learnt[set] ? 1 << k : 0), 0),
    targetSparsity: [target('hidden'), target('head'), target('intermediate'), target('layer')],
  };
}

function stepEvent(
  { stage, corpus, turn, constraint }: StageOptions,
  at: { step: number; tokens: number },
  result: StepMetrics,
): StepEvent {
  const measured = constraint && result.constraint;
  return {
    type: 'step',
    stage,
    ...at,
    elapsedMs: turn.elapsedMs(),
    loss: result.meanLoss,
    domainLoss: corpus.domains.map((_, i) => {
      const { meanLoss, windows } = result.domains[i]!;
      return windows > 0 ? meanLoss : null;
    }),
    gradientNorm: result.nonFinite ? null : result.gradientNorm,
    learningRate: result.learningRate,
    ...(measured && {
      lagrangian: measured.lagrangian,
      sparsity: Object.fromEntries(
        GATE_SETS.filter((set) => constraint.learnt[set]).map((set) => [
          set,
          {
            expected: measured.expectedSparsity[set],
            target: measured.targetSparsity[set],
            lambda1: measured.lambda1[set],
            lambda2: measured.lambda2[set],
          },
        ]),
      ),
    }),
  };
}
