import { readFamily } from '../data/model-family';
import {
  changed,
  parsePlan,
  planDocument,
  plannedSettings,
  type Intervention,
  type Plan,
} from '../experiment/interventions';
import type { Experiment } from '../experiment/schema';
import type { Gpu } from '../gpu/device';
import { parameterLayout } from '../llama/parameters';
import { describeAdapter } from '../run/adapter-name';
import { checkExperiment } from '../run/check-experiment';
import type { RunEvent } from '../run/events';
import { createKeeper, findRun, type FolderKeeper, type FoundRun } from '../run/keeper';
import { usesScalingLaw } from '../run/reference-losses';
import { resumeRun, runExperiment, type RunModels } from '../run/run';
import type { RunContext, RunKeeper } from '../run/run-context';
import { createRunControl, isCancellation } from '../run/run-control';
import { progressOf, runName } from '../run/kept-record';
import { neededTokens, plannedTraining, runSteps } from '../run/run-size';
import type { RunState } from '../run/run-state';
import { createTimeLeft } from '../run/time-left';
import { VERSION } from '../run/version';
import { StorageError } from '../storage/errors';
import type { RunChange } from '../storage/kept-run';
import type { RunFolder } from '../storage/run-store';
import { loadCorpus } from './corpus';
import {
  device,
  needSource,
  post,
  postStatus,
  reportFailure,
  stopRun,
  storeOf,
  untilAborted,
  type ActiveRun,
  type LabState,
  type OpenSource,
} from './environment';
import { checkSameSource, postLog } from './runs';

/** Events are sent in batches, so that a fast run posts about twenty messages a second. */
const BATCH_MS = 50;

/**
 * Starts a run in place of the last one; resolves when it has begun. What is wrong with the experiment is said
 * before anything is stopped.
 */
export async function startRun(state: LabState, value: Plan): Promise<void> {
  const plan = parsePlan(planDocument(value));
  const source = needSource(state);
  checkExperiment(plan.experiment, source.config);
  await stopRun(state);
  const gpu = await device(state);
  postStatus(state, 'running');
  const store = await storeOf(state);
  const folder = await store.create({
    name: unusedName(runName(plan.experiment.source, plan.experiment.target), (await store.list()).runs),
    note: '',
    colour: null,
    version: VERSION,
    status: 'running',
    experiment: plan.experiment,
    interventions: plan.interventions,
    adapter: describeAdapter(gpu.adapter),
    seed: plan.experiment.seed,
    source: {
      name: source.name,
      hash: source.weightsSha256,
      parameters: parameterLayout(source.config).parameterCount,
    },
    step: 0,
    totalSteps: runSteps(plan.experiment),
    meanLoss: null,
  });
  begin(state, { folder, gpu, source, plan, found: null, changes: {} });
}

/**
 * Goes on with a kept run from its last checkpoint, in place of the run that goes on; resolves when it has begun.
 *
 * @throws one sentence, such as when its source is not open or another tab has it
 */
export async function continueRun(
  state: LabState,
  run: string,
  changes: Intervention['changes'],
): Promise<void> {
  const gpu = await device(state);
  await stopRun(state);
  const folder = await (await storeOf(state)).open(run);
  try {
    const found = await findRun(folder);
    if (!found) throw new Error('Nothing was kept of this run before its first checkpoint: start it again.');
    for (const problem of found.problems) {
      post(state, { type: 'notice', message: `${problem}: the run goes on from the checkpoint before.` });
    }
    const { source, adapter } = found.saved.state;
    checkSameSource(state, { weightsSha256: source.weightsSha256, sourceName: source.name });
    if (describeAdapter(adapter) !== describeAdapter(gpu.adapter)) {
      post(state, {
        type: 'notice',
        message: `This run was begun on ${describeAdapter(adapter)}: it goes on here, but not with the same last digits.`,
      });
    }
    postStatus(state, 'running');
    const { experiment, interventions } = found.saved.state;
    begin(state, {
      folder,
      gpu,
      source: needSource(state),
      plan: { experiment, interventions },
      found,
      changes,
    });
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** The name, with a number behind it where a kept run has it already. */
function unusedName(name: string, runs: readonly { name: string }[]): string {
  const taken = new Set(runs.map((run) => run.name));
  let number = 1;
  const numbered = () => (number === 1 ? name : `${name}, ${number}`);
  while (taken.has(numbered())) number++;
  return numbered();
}

/** The status becomes `paused` when the run holds: what is in flight comes back first. */
export function pauseRun(state: LabState): void {
  state.run?.control.pause();
}

export function resumePausedRun(state: LabState): void {
  if (!state.run?.control.paused()) return;
  state.run.control.resume();
  postStatus(state, 'running');
  void noteRun(state, state.run.id, { status: 'running' });
}

/** Lets one optimiser step through. */
export function stepRun(state: LabState): void {
  if (!state.run) return;
  postStatus(state, 'running');
  state.run.control.allowStep();
}

/** @throws one sentence when no run goes on */
export function changeRun(state: LabState, changes: Intervention['changes']): void {
  if (!state.run) throw new Error('No run goes on, so there is nothing to change.');
  state.run.control.change(changes);
}

interface Begun {
  folder: RunFolder;
  gpu: Gpu;
  source: OpenSource;
  plan: Plan;
  /** Where a kept run goes on; null for a new one. */
  found: FoundRun | null;
  /** Asked for at once. */
  changes: Intervention['changes'];
}

function begin(state: LabState, begun: Begun): void {
  const { folder, gpu, found, changes } = begun;
  const note = (change: RunChange) => noteRun(state, folder.id, change);
  const control = createRunControl({
    elapsedBefore: found?.saved.state.elapsedMs ?? 0,
    onHold() {
      postStatus(state, 'paused');
      void note({ status: 'paused' });
    },
  });
  if (Object.keys(changes).length > 0) control.change(changes);
  const events = createEventPost(state, folder.id, gpu);
  const run: ActiveRun = {
    id: folder.id,
    control,
    done: Promise.resolve(),
    flush: async () => events.flush(),
  };
  state.run = run;
  state.finished = false;
  run.done = execute(state, run, begun, events);
}

/** Never throws: however the run ends, it says so, and is no longer the lab's run. A stopped run is silent. */
async function execute(
  state: LabState,
  run: ActiveRun,
  begun: Begun,
  events: ReturnType<typeof createEventPost>,
): Promise<void> {
  const { folder, gpu, found } = begun;
  const keeping = await keepRun(state, folder, found);
  if (found) {
    // What came after the checkpoint is cut from the log: the page begins anew, and what follows fits.
    await postLog(state, folder);
    await noteRun(state, folder.id, { status: 'running' });
  }
  run.flush = async () => {
    events.flush();
    await keeping.flush();
  };
  let outcome: RunChange = { status: 'failed' };
  try {
    const models = await executePlan(state, run, begun, keeping, events.add);
    gpu.throwOnError();
    await keeping.finish(models);
    outcome = { status: 'finished' };
    events.flush();
    state.finished = true;
    state.run = null;
    postStatus(state, 'finished');
  } catch (error) {
    events.flush();
    await keeping.flush();
    state.run = null;
    if (isCancellation(error)) outcome = { status: 'stopped' };
    else {
      await reportFailure(state, error);
      postStatus(state, 'failed');
    }
  } finally {
    await folder.close().catch(() => undefined);
    await noteRun(state, folder.id, outcome);
  }
}

/** Notes something of a run in the list of runs; a list that cannot be written is no reason to stop. */
async function noteRun(state: LabState, id: string, change: RunChange): Promise<void> {
  await (await storeOf(state)).update(id, change).catch(() => undefined);
}

async function executePlan(
  state: LabState,
  { control }: ActiveRun,
  { gpu, source, plan, found }: Begun,
  keeping: Keeping,
  add: (event: RunEvent) => void,
): Promise<RunModels> {
  const { experiment } = plan;
  const { signal } = control;
  const corpus = await untilAborted(loadCorpus(state, source, neededTokens(experiment)), signal);
  const family = usesScalingLaw(experiment)
    ? await untilAborted(readFamily(state.environment.read, source.weightsSha256), signal)
    : [];
  const work = createWorkLeft(experiment, found?.saved.state ?? null, control.elapsedMs);
  const activity = (what: string, done: number, of: number) =>
    post(state, { type: 'activity', what, done, total: of, secondsLeft: work.left.seconds() });
  const context: RunContext = {
    gpu,
    source,
    corpus,
    family,
    control,
    version: VERSION,
    activity,
    keeper: keeping.keeper,
    refuseChange: (message) => post(state, { type: 'failed', message, fatal: false }),
    emit(event) {
      keeping.add(event);
      add(event);
      work.take(event);
      if (event.type !== 'step') return;
      activity(event.stage === 'prune' ? 'Pruning' : 'Retraining', event.step, work.total());
    },
  };
  return found ? resumeRun(found.saved, context) : runExperiment(plan, context);
}

/** A run that is kept as long as there is room; without it the run goes on all the same, and says so once. */
interface Keeping {
  keeper: RunKeeper;
  add(event: RunEvent): void;
  flush(): Promise<void>;
  finish(models: RunModels): Promise<void>;
}

async function keepRun(state: LabState, folder: RunFolder, found: FoundRun | null): Promise<Keeping> {
  let kept: FolderKeeper | null = await createKeeper(folder, found?.position, (saved) =>
    noteRun(state, folder.id, recordOf(saved)),
  );
  const tolerantly = async (work: (keeper: FolderKeeper) => Promise<void>) => {
    if (!kept) return;
    try {
      await work(kept);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      kept = null;
      post(state, {
        type: 'notice',
        message: `${error.message} The run goes on, but is not kept any further.`,
      });
    }
  };
  return {
    keeper: {
      checkpoint: (saved, tensors) => tolerantly((keeper) => keeper.checkpoint(saved, tensors)),
      keepPruned: (model) => tolerantly((keeper) => keeper.keepPruned(model)),
    },
    add: (event) => kept?.add(event),
    flush: () => tolerantly((keeper) => keeper.flush()),
    finish: (models) =>
      tolerantly(async (keeper) => {
        if (models.retrained) await keeper.keepModel('retrained', models.retrained);
        await keeper.flush();
      }),
  };
}

function recordOf(saved: RunState): RunChange {
  return {
    status: 'running',
    interventions: saved.interventions,
    ...progressOf(saved),
  };
}

/** What is left of a run's steps, evaluations and cut; follows changes of the steps. */
function createWorkLeft(experiment: Experiment, saved: RunState | null, elapsedMs: () => number) {
  let settings = saved ? plannedSettings(saved) : experiment;
  let done = saved?.step ?? 0;
  let stage: RunState['stage'] = saved?.stage ?? 'prune';
  let cutAt = saved?.surgery?.step ?? 0;
  const remaining = () => {
    const { prune, retrain } = plannedTraining(settings);
    const pruning = stage === 'prune' ? Math.max(0, prune.steps - done) : 0;
    const healing = Math.max(0, retrain.steps - (stage === 'prune' ? 0 : done - cutAt));
    const evaluations = (steps: number) => Math.ceil(steps / settings.evaluation.interval);
    return { pruning, healing, evaluations: evaluations(pruning) + evaluations(healing) };
  };
  const at = remaining();
  const left = createTimeLeft(
    {
      prune: { left: at.pruning },
      retrain: { left: at.healing, like: 'prune' },
      evaluation: { left: at.evaluations },
      cut: { left: stage === 'prune' ? 1 : 0, like: 'evaluation' },
    },
    elapsedMs,
  );
  return {
    left,
    /** Steps of the whole run as it stands. */
    total() {
      const { pruning, healing } = remaining();
      return done + pruning + healing;
    },
    take(event: RunEvent) {
      if (event.type === 'step') {
        done = event.step;
        left.finished(event.stage);
      }
      if (event.type === 'evaluation') left.finished('evaluation');
      if (event.type === 'surgery') {
        stage = 'retrain';
        cutAt = event.step;
        left.finished('cut');
      }
      if (event.type === 'intervention') {
        settings = changed(settings, event.changes);
        const next = remaining();
        left.plan('prune', next.pruning);
        left.plan('retrain', next.healing);
        left.plan('evaluation', next.evaluations);
      }
    },
  };
}

/** Posts events in order and in batches, and with each batch what the GPU holds. */
function createEventPost(state: LabState, run: string, gpu: Gpu) {
  let waiting: RunEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    post(state, { type: 'events', run, events: waiting });
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
