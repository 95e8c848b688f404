import { createThrottle } from '../run/throttle';
import { compareModels } from './comparing';
import {
  createState,
  currentStatus,
  postStatus,
  reportFailure,
  stopRun,
  storeOf,
  type LabEnvironment,
  type LabState,
} from './environment';
import { exportModel } from './exporting';
import { announceJob, cancelJob, runJob, type Job } from './jobs';
import { evaluateDomains } from './measuring';
import { openBundled, openLocal } from './opening';
import type { Command } from './protocol';
import { changeRun, continueRun, pauseRun, resumePausedRun, startRun, stepRun } from './run';
import { exportKeptRun, exportLog, importKeptRun, postRuns, showRun } from './runs';
import { scoreModel } from './scoring';
import { scoreSourceUnits } from './unit-scores';
import { writeSideBySide } from './writing';

export interface Lab {
  /** Never throws: whatever goes wrong becomes a `failed` report. */
  handle(command: Command): Promise<void>;
}

/** These change what is open or running: one after the other, in the order in which they came. */
const IN_TURN: ReadonlySet<Command['type']> = new Set([
  'open',
  'openFiles',
  'start',
  'continue',
  'change',
  'pause',
  'resume',
  'step',
  'reset',
]);

/** A list that changes all the time, as while a run goes, is told at most this often. */
const LIST_MS = 500;

type JobCommand = Extract<Command, { id: number }>;

function isJob(command: Command): command is Exclude<JobCommand, { type: 'cancel' }> {
  return 'id' in command && command.type !== 'cancel';
}

/** The engine behind the page. The rest of src/session says what each command does. */
export function createLab(environment: LabEnvironment): Lab {
  const state = createState(environment);
  /** Settles when every command in turn so far is done; a started run is done when it has begun. */
  let turn = Promise.resolve();
  let opening = new AbortController();
  let watched = false;

  const watchRuns = async () => {
    if (watched) return;
    watched = true;
    const due = createThrottle(LIST_MS);
    let waiting: ReturnType<typeof setTimeout> | null = null;
    const tell = () => void postRuns(state).catch((error: unknown) => reportFailure(state, error));
    (await storeOf(state)).watch(() => {
      if (due()) tell();
      else
        waiting ??= setTimeout(() => {
          waiting = null;
          tell();
        }, LIST_MS);
    });
  };

  return {
    handle(command) {
      if (isJob(command)) announceJob(state, command.id);
      if (command.type === 'cancel') cancelJob(state, command.id);
      if (command.type === 'open' || command.type === 'openFiles') {
        // Nobody waits for what was opened before.
        opening.abort();
        opening = new AbortController();
      }
      if (command.type === 'listRuns') void watchRuns();
      const { signal } = opening;
      const done = turn.then(() => perform(state, command, signal));
      if (IN_TURN.has(command.type)) turn = done;
      return done;
    },
  };
}

async function perform(state: LabState, command: Command, signal: AbortSignal): Promise<void> {
  if (state.over) return;
  const opens = command.type === 'open' || command.type === 'openFiles';
  if (opens && signal.aborted) return;
  try {
    if (isJob(command)) await runJob(state, command.id, (job) => performJob(state, command, job));
    else await performCommand(state, command, signal);
  } catch (error) {
    if (opens && signal.aborted) return;
    await reportFailure(state, error);
    if (opens) postStatus(state, state.source ? 'ready' : 'failed');
    if (command.type === 'start' || command.type === 'continue') postStatus(state, currentStatus(state));
  }
}

async function performCommand(
  state: LabState,
  command: Exclude<Command, JobCommand> | { type: 'cancel' },
  signal: AbortSignal,
): Promise<void> {
  switch (command.type) {
    case 'open':
      return openBundled(state, command.source, signal);
    case 'openFiles':
      return openLocal(state, command.files, signal);
    case 'start':
      return startRun(state, command.plan);
    case 'continue':
      return continueRun(state, command.run, command.changes);
    case 'change':
      return changeRun(state, command.changes);
    case 'pause':
      return pauseRun(state);
    case 'resume':
      return resumePausedRun(state);
    case 'step':
      return stepRun(state);
    case 'reset':
      await stopRun(state);
      return postStatus(state, currentStatus(state));
    case 'cancel':
      return;
    case 'showRun':
      return showRun(state, command.run);
    case 'listRuns':
      return postRuns(state);
    case 'updateRun':
      return (await storeOf(state)).update(command.run, command.change);
    case 'removeRun':
      return (await storeOf(state)).remove(command.run);
  }
}

async function performJob(
  state: LabState,
  command: Exclude<JobCommand, { type: 'cancel' }>,
  job: Job,
): Promise<void> {
  switch (command.type) {
    case 'generate':
      return writeSideBySide(state, command, job);
    case 'evaluate':
      return evaluateDomains(state, command, job);
    case 'scoreTasks':
      return scoreModel(state, command, job);
    case 'scoreUnits':
      return scoreSourceUnits(state, command, job);
    case 'compare':
      return compareModels(state, command, job);
    case 'exportModel':
      return exportModel(state, command.run);
    case 'exportRun':
      return exportKeptRun(state, command.run, job);
    case 'exportLog':
      return exportLog(state, command, job);
    case 'importRun':
      return importKeptRun(state, command.bytes);
  }
}
