import { uniform } from '../data/random';
import { defaultExperiment } from '../experiment/schema';
import type { Gpu } from '../gpu/device';
import { createGpuTimer } from '../gpu/timing';
import type { LlamaConfig } from '../llama/config';
import type { BatchShape } from '../llama/workspace';
import { learntGates } from '../pruning/learnt-gates';
import { timedStepInputs } from '../run/step-speed';
import { initialParameters } from '../training/initialise';
import { createTrainer, type Trainer, type TrainingBatch } from '../training/trainer';
import { createClockProbe } from './limits';
import { countWork, profileProgram, totalWork, type ProfileRow } from './profile';
import { spreadOf, type Spread } from './spread';

export interface StepMeasurement {
  shape: BatchShape;
  /** From the first submit to the last result, over the steps, with two in flight as in a run. */
  millisecondsPerStep: number;
  /** Between the arrivals of two steps' results. */
  intervals: Spread;
  /** Processor time of the process in a step, driver threads included; null where there is no such clock. */
  cpuMillisecondsPerStep: number | null;
  /** Time that a call of `step` takes before it waits: writing, encoding, submitting. */
  encodeMilliseconds: Spread;
  perStep: { dispatches: number; submits: number; readBacks: number; flops: number; bytesMoved: number };
  /**
   * Nanoseconds of `createClockProbe` before and after: longer than in another measurement on the same adapter means
   * a lower clock, and longer times.
   */
  clockProbe: number[];
  profile: StepProfile | null;
}

export interface StepProfile {
  rows: ProfileRow[];
  /** The same step in one compute pass: GPU time from its first dispatch to its last. */
  passMilliseconds: number;
  /** Sum of the rows: what the dispatches take one behind the other. */
  dispatchesMilliseconds: number;
  /** By timestamp queries; otherwise the clock's, and there are no rows with times. */
  exact: boolean;
}

const STREAM = 19;
const IN_FLIGHT = 2;
/** Different batches, made before the clock runs. */
const BATCHES = 8;

/** Token ids as unevenly common as a text's: a uniform number cubed, times the vocabulary. */
export function sampleBatch(
  config: LlamaConfig,
  { batch, context }: BatchShape,
  step: number,
): TrainingBatch {
  const tokens = Uint32Array.from({ length: batch * context }, (_, i) =>
    Math.floor(uniform(STREAM, step, i) ** 3 * config.vocabSize),
  );
  return { tokens, domains: new Uint32Array(batch) };
}

/** A trainer of the default experiment's pruning stage on a model of this shape, with untrained weights. */
export function createBenchTrainer(gpu: Gpu, config: LlamaConfig, shape: BatchShape): Promise<Trainer> {
  const { prune } = defaultExperiment();
  return createTrainer(gpu, {
    config,
    label: 'bench',
    parameters: initialParameters(config, 1),
    shape,
    extension: learntGates(config, prune),
  });
}

/**
 * Times `steps` pruning steps after some that are not timed, then replays one with a timestamp around every
 * dispatch when `profileReplays` is above 0.
 */
export async function measureStep(
  gpu: Gpu,
  trainer: Trainer,
  config: LlamaConfig,
  shape: BatchShape,
  {
    steps,
    warmUp,
    profileReplays,
    cpuMilliseconds,
  }: { steps: number; warmUp: number; profileReplays: number; cpuMilliseconds?: () => number },
): Promise<StepMeasurement> {
  const batches = Array.from({ length: BATCHES }, (_, i) => sampleBatch(config, shape, i));
  const encode: number[] = [];
  const arrivals: number[] = [];
  const run = async (first: number, count: number) => {
    const inFlight: Promise<unknown>[] = [];
    const settle = async (left: number) => {
      while (inFlight.length > left) {
        await inFlight.shift();
        arrivals.push(performance.now());
      }
    };
    for (let step = first; step < first + count; step++) {
      const started = performance.now();
      inFlight.push(trainer.step(batches[step % BATCHES]!, timedStepInputs(step, 0.25)));
      encode.push(performance.now() - started);
      await settle(IN_FLIGHT);
    }
    await settle(0);
  };
  await run(0, warmUp);
  encode.length = arrivals.length = 0;
  const clockProbe = [await probeClock(gpu)];
  const before = { ...gpu.counters };
  const cpuBefore = cpuMilliseconds?.();
  const started = performance.now();
  await run(warmUp, steps);
  const milliseconds = performance.now() - started;
  const cpu = cpuBefore === undefined ? null : (cpuMilliseconds!() - cpuBefore) / steps;
  const after = { ...gpu.counters };
  clockProbe.push(await probeClock(gpu));
  gpu.throwOnError();

  const work = totalWork(countWork(trainer.program));
  const each = (name: keyof Gpu['counters']) => (after[name] - before[name]) / steps;
  const intervals = arrivals.slice(1).map((at, i) => at - arrivals[i]!);
  return {
    shape,
    millisecondsPerStep: milliseconds / steps,
    intervals: spreadOf(intervals.length > 0 ? intervals : [milliseconds / steps]),
    cpuMillisecondsPerStep: cpu,
    encodeMilliseconds: spreadOf(encode),
    perStep: {
      dispatches: each('dispatches'),
      submits: each('submits'),
      readBacks: each('readBacks'),
      flops: work.flops,
      bytesMoved: work.bytes,
    },
    clockProbe,
    profile: profileReplays > 0 ? await profileStep(gpu, trainer, profileReplays) : null,
  };
}

async function probeClock(gpu: Gpu): Promise<number> {
  const timer = createGpuTimer(gpu);
  const probe = await createClockProbe(gpu, timer);
  try {
    await probe.time();
    return Math.min(await probe.time(), await probe.time());
  } finally {
    probe.destroy();
    timer.destroy();
  }
}

async function profileStep(gpu: Gpu, { program }: Trainer, replays: number): Promise<StepProfile> {
  const timer = createGpuTimer(gpu);
  try {
    const passes: number[] = [];
    for (let i = 0; i < replays; i++) passes.push(await timer.span(program));
    const rows = timer.exact
      ? await profileProgram(timer, program, replays, gpu.adapter.software)
      : countWork(program);
    return {
      rows,
      passMilliseconds: spreadOf(passes).median * 1e-6,
      dispatchesMilliseconds: totalWork(rows).nanoseconds * 1e-6,
      exact: timer.exact,
    };
  } finally {
    timer.destroy();
  }
}
