import { readFamily } from '../data/model-family';
import { checkExperiment } from '../run/check-experiment';
import { createRunControl, isCancellation } from '../run/run-control';
import type { RunEvent } from '../run/events';
import { usesScalingLaw } from '../run/reference-losses';
import { runExperiment } from '../run/run';
import { runSteps, runTokens } from '../run/run-size';
import { parseExperiment, type Experiment } from '../experiment/schema';
import { createTimeLeft } from '../run/time-left';
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
    control: createRunControl({ onHold: () => postStatus(state, 'paused') }),
    abort: new AbortController(),
    done: Promise.resolve(),
  };
  state.run = run;
  run.done = execute(state, run, experiment, source, gpu);
}

/** The status becomes `paused` when the run holds: what is in flight comes back first. */
export function pauseRun(state: LabState): void {
  state.run?.control.pause();
}

export function resumeRun(state: LabState): void {
  if (!state.run?.control.paused()) return;
  state.run.control.resume();
  postStatus(state, 'running');
}

/** Lets one optimiser step through. */
export function stepRun(state: LabState): void {
  if (!state.run) return;
  postStatus(state, 'running');
  state.run.control.allowStep();
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
  const left = createTimeLeft(plannedWork(experiment), control.elapsedMs);
  const activity = (what: string, done: number, of: number) =>
    post(state, { type: 'activity', what, done, total: of, secondsLeft: left.seconds() });
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
        if (event.type === 'surgery') left.finished('cut');
        if (event.type === 'evaluation') left.finished('evaluation');
        if (event.type !== 'step') return;
        left.finished(event.stage);
        activity(event.stage === 'prune' ? 'Pruning' : 'Retraining', event.step, total);
      },
    },
  );
}

/** The units of work of a run: both stages' steps, the evaluations after every interval, the cut with its own. */
function plannedWork({ prune, retrain, retraining, evaluation }: Experiment) {
  const evaluations = (steps: number) => Math.ceil(steps / evaluation.interval);
  const healed = retraining === 'continued' ? retrain.steps : 0;
  return {
    prune: { left: prune.steps },
    retrain: { left: healed, like: 'prune' },
    evaluation: { left: evaluations(prune.steps) + evaluations(healed) },
    cut: { left: 1, like: 'evaluation' },
  };
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
