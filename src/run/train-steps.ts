import { nextBatch } from '../data/sampler';
import type { Experiment } from '../experiment/schema';
import type { StepInputs } from '../kernels/step-inputs';
import type { StepMetrics } from '../kernels/step-metrics';
import type { Trainer } from '../training/trainer';
import { changesAreDue, takeChanges } from './changes';
import type { Stage, StepEvent } from './events';
import { createStepCheck } from './finite-step';
import { currentSettings, type Run } from './run-context';

/** Steps that may be on their way to the GPU before the oldest one's metrics are waited for. */
const STEPS_IN_FLIGHT = 2;

/** Adam as published, the same for weights, gates and multipliers (docs/method.md, section 4). */
export const ADAM = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };

/** A stage of optimiser steps. */
export interface TrainingStage {
  name: Stage;
  trainer: Trainer;
  /** Windows in a batch. */
  batchSize: number;
  /** Tensors that a checkpoint needs besides the trainer's: what it is given and does not change. */
  besides?: ReadonlyMap<string, Float32Array>;
  /** Whether the run can be trained on after its last step, so that the end is kept, too. */
  keepsEnd?: boolean;
  /** Optimiser steps of the stage under these settings. */
  steps(settings: Experiment): number;
  /** Rates and targets of zero-based step `s` of the stage. */
  inputs(settings: Experiment, s: number): Omit<StepInputs, 'ringSlot'>;
  /** What a step's event has besides what all stages have. */
  describe?(result: StepMetrics): Partial<StepEvent>;
  /** Reads what is told after step `s`, so that it is of that very step; null where nothing is. */
  readFrame?(settings: Experiment, s: number, evaluates: boolean): Promise<() => void> | null;
  /** Called with nothing in flight when settings were changed. */
  onChange?(keys: ReadonlySet<string>): Promise<void>;
  /** Called with nothing in flight, every `evaluation.interval` steps and after the last. */
  evaluate(): Promise<void>;
}

/**
 * The optimiser steps of one stage from where the run stands, a few in flight at a time; events come in order.
 * Changes, pauses and checkpoints are met with nothing in flight, so that the log does not depend on when the
 * GPU was done.
 *
 * @throws the control's reason when it is cancelled, or an Error of one sentence.
 */
export async function trainSteps(run: Run, stage: TrainingStage): Promise<void> {
  const { state, control, corpus, keeper } = run;
  const inFlight: {
    at: { step: number; tokens: number };
    metrics: Promise<StepMetrics>;
    frame: Promise<() => void> | null;
  }[] = [];
  const check = createStepCheck(
    stage.name,
    corpus.domains.map(({ name }) => name),
  );
  let kept = state.step;

  /** Waits until at most `left` steps are in flight, and tells of those that came back. */
  const settle = async (left: number) => {
    while (inFlight.length > left) {
      const { at, metrics, frame } = inFlight[0]!;
      const result = await metrics;
      check(at.step, result);
      run.emit(stepEvent(run, stage, at, result));
      if (frame) (await frame)();
      inFlight.shift();
    }
  };

  const keep = async () => {
    await settle(0);
    if (!keeper || kept === state.step) return;
    kept = state.step;
    const tensors = new Map<string, Float32Array>(stage.besides);
    for (const { name } of stage.trainer.state()) tensors.set(name, await stage.trainer.read(name));
    await keeper.checkpoint(snapshot(run), tensors);
  };

  const oneStep = async (settings: Experiment, s: number) => {
    const { batch, state: sampler } = nextBatch(state.sampler, corpus, state.mixture, stage.batchSize);
    state.sampler = sampler;
    state.step++;
    state.tokens += batch.tokens.length;
    const metrics = stage.trainer.step(batch, stage.inputs(settings, s));
    const evaluates = s + 1 === stage.steps(settings) || (s + 1) % settings.evaluation.interval === 0;
    const frame = stage.readFrame?.(settings, s, evaluates) ?? null;
    // A failure is met when the step is waited for; one met later still must not go unheard.
    metrics.catch(() => undefined);
    frame?.catch(() => undefined);
    inFlight.push({ at: { step: state.step, tokens: state.tokens }, metrics, frame });
    await settle(evaluates ? 0 : STEPS_IN_FLIGHT);
    if (evaluates) await stage.evaluate();
    if (state.step % (run.checkpointEvery ?? settings.checkpoint.interval) === 0) await keep();
  };

  try {
    for (;;) {
      if (control.paused()) await keep();
      if (changesAreDue(run)) await changeSettings();
      const settings = currentSettings(run);
      const s = state.step - state.stageStart;
      if (s >= stage.steps(settings) && !control.changesWaiting()) break;
      if (await control.step()) await oneStep(settings, s);
      else await changeSettings();
    }
    await settle(0);
    if (stage.keepsEnd) await keep();
  } finally {
    // Nothing is given back while the GPU still writes to it.
    await Promise.allSettled(
      inFlight.flatMap(({ metrics, frame }) => (frame ? [metrics, frame] : [metrics])),
    );
  }

  async function changeSettings() {
    await settle(0);
    const keys = takeChanges(run);
    if (keys.size > 0) await stage.onChange?.(keys);
  }
}

/** The state as it is now, to be kept. */
export function snapshot({ state, control }: Run): Run['state'] {
  return structuredClone({ ...state, elapsedMs: control.elapsedMs() });
}

function stepEvent(
  { corpus, control }: Run,
  stage: TrainingStage,
  at: { step: number; tokens: number },
  result: StepMetrics,
): StepEvent {
  return {
    type: 'step',
    stage: stage.name,
    ...at,
    elapsedMs: control.elapsedMs(),
    loss: result.meanLoss,
    domainLoss: corpus.domains.map((_, i) => {
      const { meanLoss, windows } = result.domains[i]!;
      return windows > 0 ? meanLoss : null;
    }),
    gradientNorm: result.nonFinite ? null : result.gradientNorm,
    learningRate: result.learningRate,
    ...(result.divergence !== null && { divergence: result.divergence }),
    ...stage.describe?.(result),
  };
}
