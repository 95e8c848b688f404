import { readFamily } from '../data/model-family';
import { createRunControl, isCancellation } from '../run/run-control';
import type { RunEvent } from '../run/events';
import { usesScalingLaw } from '../run/reference-losses';
import { checkExperiment } from '../run/check-experiment';
import { runExperiment } from '../run/run';
import { runSteps, runTokens } from '../run/run-size';
import { parseExperiment, type Experiment } from '../experiment/schema';
import { VERSION } from '../run/version';
import type { Gpu } from '../gpu/device';
import { loadCorpus } from './corpus';
import {
  device,
  needSource,
  post,
  postStatus,
  reportFailure,
  stopWork,
  untilAborted,
  type ActiveRun,
  type LabState,
  type OpenSource,
} from './environment';

/** Events wait this long for company, so that a fast run sends about twenty messages a second. */
const BATCH_MS = 50;

/** Drops the run, its models and their comparison; resolves when nothing of it is under way any more. */
export async function stopRun(state: LabState): Promise<void> {
  await Promise.all([stopWork(state.run), stopWork(state.comparison)]);
  state.finished = null;
}

/**
 * Starts a run in place of the last one; resolves when it has begun. What is wrong with the experiment is
 * said before anything is dropped.
 */
export async function startRun(state: LabState, value: unknown): Promise<void> {
  const experiment = parseExperiment(value);
  const source = needSource(state);
  checkExperiment(experiment, source.config);
  await stopRun(state);
  const gpu = await device(state);
  postStatus(state, 'running');
  const run: ActiveRun = {
    control: createRunControl(),
    abort: new AbortController(),
    done: Promise.resolve(),
  };
  state.run = run;
  run.done = execute(state, run, experiment, source, gpu);
}

export function pauseRun(state: LabState): void {
  if (!state.run || state.run.control.paused()) return;
  state.run.control.pause();
  postStatus(state, 'paused');
}

export function resumeRun(state: LabState): void {
  if (!state.run?.control.paused()) return;
  state.run.control.resume();
  postStatus(state, 'running');
}

/** Lets one optimiser step through. */
export function stepRun(state: LabState): void {
  if (!state.run) return;
  state.run.control.allowStep();
  postStatus(state, 'paused');
}

/** Never throws: however the run ends, it says so, and is no longer the lab's run. A stopped run is silent. */
async function execute(
  state: LabState,
  run: ActiveRun,
  experiment: Experiment,
  source: OpenSource,
  gpu: Gpu,
): Promise<void> {
  const log = createEventPost(state, gpu);
  try {
    const models = await executeExperiment(state, run, experiment, source, gpu, log.add);
    gpu.throwOnError();
    log.flush();
    state.finished = { experiment, ...models };
    state.run = null;
    postStatus(state, 'finished');
  } catch (error) {
    log.flush();
    state.run = null;
    if (isCancellation(error) || run.abort.signal.aborted) return;
    await reportFailure(state, error);
    postStatus(state, 'failed');
  }
}

async function executeExperiment(
  state: LabState,
  { control, abort }: ActiveRun,
  experiment: Experiment,
  source: OpenSource,
  gpu: Gpu,
  add: (event: RunEvent) => void,
) {
  const corpus = await untilAborted(loadCorpus(state, source, runTokens(experiment)), abort.signal);
  const family = usesScalingLaw(experiment)
    ? await untilAborted(readFamily(state.environment.read, source.weightsSha256), abort.signal)
    : [];
  const total = runSteps(experiment);
  let stepsDone = 0;
  const activity = (what: string, done: number, of: number) => {
    const secondsLeft =
      stepsDone === 0 ? null : ((control.elapsedMs() / stepsDone) * (total - stepsDone)) / 1000;
    post(state, { type: 'activity', what, done, total: of, secondsLeft });
  };
  return runExperiment(
    { experiment, interventions: [] },
    {
      gpu,
      source,
      corpus,
      family,
      turn: control,
      version: VERSION,
      activity,
      emit(event) {
        add(event);
        if (event.type !== 'step') return;
        stepsDone = event.step;
        activity(event.stage === 'prune' ? 'Pruning' : 'Retraining', event.step, total);
      },
    },
  );
}

/** Posts events in order and in batches, and with each batch what the GPU holds. */
function createEventPost(state: LabState, gpu: Gpu) {
  let waiting: RunEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    post(state, { type: 'events', events: waiting });
    post(state, { type: 'memory', heldBytes: gpu.heldBytes() });
    waiting = [];
  };
  return {
    flush,
    add(event: RunEvent) {
      waiting.push(event);
      timer ??= setTimeout(flush, BATCH_MS);
    },
  };
}
