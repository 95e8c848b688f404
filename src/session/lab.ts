import {
  createState,
  currentStatus,
  postStatus,
  reportFailure,
  stopWork,
  type LabEnvironment,
  type LabState,
} from './environment';
import { compareModels } from './comparing';
import { exportModel } from './exporting';
import { evaluateDomains } from './measuring';
import { openBundled, openLocal } from './opening';
import type { Command } from './protocol';
import { pauseRun, resumeRun, startRun, stepRun, stopRun } from './run';
import { scoreModel } from './scoring';
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
  'pause',
  'resume',
  'step',
  'reset',
]);

/** Work that goes on beside a run until its id is no longer wanted. */
function isCancellable(command: Command) {
  return command.type === 'generate' || command.type === 'evaluate' || command.type === 'scoreTasks';
}

function isCancellation(command: Command) {
  return (
    command.type === 'cancelGeneration' ||
    command.type === 'cancelEvaluation' ||
    command.type === 'cancelScoring'
  );
}

/** The engine behind the page. The rest of src/session says what each command does. */
export function createLab(environment: LabEnvironment): Lab {
  const state = createState(environment);
  /** Settles when every command in turn so far is done; a started run is done when it has begun. */
  let turn = Promise.resolve();
  let opening = new AbortController();

  return {
    handle(command) {
      if (isCancellable(command)) state.wanted.add(command.id);
      if (isCancellation(command)) state.wanted.delete(command.id);
      if (command.type === 'open' || command.type === 'openFiles') {
        // Nobody waits for what was opened before.
        opening.abort();
        opening = new AbortController();
      }
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
    await dispatch(state, command, signal);
  } catch (error) {
    if (opens && signal.aborted) return;
    await reportFailure(state, error);
    if (opens) postStatus(state, state.source ? 'ready' : 'failed');
    if (command.type === 'start') postStatus(state, currentStatus(state));
  } finally {
    if (isCancellable(command)) state.wanted.delete(command.id);
  }
}

async function dispatch(state: LabState, command: Command, signal: AbortSignal): Promise<void> {
  switch (command.type) {
    case 'open':
      return openBundled(state, command.source, signal);
    case 'openFiles':
      return openLocal(state, command.files, signal);
    case 'start':
      return startRun(state, command.experiment);
    case 'pause':
      return pauseRun(state);
    case 'resume':
      return resumeRun(state);
    case 'step':
      return stepRun(state);
    case 'reset':
      await stopRun(state);
      return postStatus(state, currentStatus(state));
    case 'generate':
      return writeSideBySide(state, command);
    case 'cancelGeneration':
    case 'cancelEvaluation':
    case 'cancelScoring':
      return;
    case 'evaluate':
      return evaluateDomains(state, command);
    case 'scoreTasks':
      return scoreModel(state, command);
    case 'compare':
      return compareModels(state, command);
    case 'cancelComparison':
      return stopWork(state.comparison);
    case 'exportModel':
      return exportModel(state);
  }
}
