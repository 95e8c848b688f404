import type { RunEvent } from '../../run/events';
import type { Experiment } from '../../experiment/schema';
import type { Report, RunStatus } from '../../session/protocol';
import {
  type Generation,
  type LabState,
  type TaskScores,
  withNotice,
  withSilence,
  type Written,
} from './lab-state';
import { appendEvents, beginRun } from './run-record';

/** The state after one report of the engine. Pure: the same report on the same state gives the same state. */
export function reduceReport(state: LabState, report: Report): LabState {
  switch (report.type) {
    case 'device':
      return reduceDevice(state, report);
    case 'loading':
      return { ...state, loading: report };
    case 'source': {
      const { name, config, parameters, card } = report;
      return {
        ...state,
        // The device is reported once a worker; a second source opens on the same one.
        engine: { ...state.engine, state: 'open' },
        source: { name, config, parameters, card },
        experiment: sourceNamed(state.experiment, name),
        generation: null,
        evaluation: null,
        taskScores: [],
      };
    }
    case 'status':
      return reduceStatus(state, report.status);
    case 'events':
      return reduceEvents(state, report.events);
    case 'activity':
      return { ...state, activity: report };
    case 'generated': {
      if (state.generation?.id !== report.id) return state;
      const { text, done, tokensPerSecond } = report;
      return {
        ...state,
        generation: { ...state.generation, [report.which]: { text, done, tokensPerSecond } },
      };
    }
    case 'evaluated': {
      if (state.evaluation?.id !== report.id) return state;
      const { loss, tokens, done } = report;
      return { ...state, evaluation: { ...state.evaluation, [report.which]: { loss, tokens, done } } };
    }
    case 'comparing': {
      const { comparison } = state;
      if (comparison?.id !== report.id) return state;
      const { what, share, secondsLeft } = report;
      return { ...state, comparison: { ...comparison, progress: { what, share, secondsLeft } } };
    }
    case 'compared': {
      const { comparison } = state;
      if (comparison?.id !== report.id) return state;
      const progress = report.done ? null : comparison.progress;
      return { ...state, comparison: { ...comparison, report: report.report, progress } };
    }
    case 'scoring': {
      const { task, items, totalItems, share, secondsLeft } = report;
      return changeScores(state, report.id, {
        progress: { task, items, totalItems, share, secondsLeft },
      });
    }
    case 'scored': {
      const scores = state.taskScores.find(({ id }) => id === report.id);
      if (!scores) return state;
      return changeScores(state, report.id, {
        results: [...scores.results, ...report.results],
        ...(report.done && { progress: null }),
      });
    }
    case 'exported':
      return { ...state, exported: { fileName: report.fileName, bytes: report.bytes } };
    case 'memory':
      return {
        ...state,
        memory: { held: report.heldBytes, most: Math.max(report.heldBytes, state.memory?.most ?? 0) },
      };
    case 'failed':
      return reduceFailure(state, report);
  }
}

function changeScores(state: LabState, id: number, change: Partial<TaskScores>): LabState {
  const taskScores = state.taskScores.map((scores) => (scores.id === id ? { ...scores, ...change } : scores));
  return { ...state, taskScores };
}

/** What is open decides: a folder becomes `local`, and a model that would not open leaves the one before. */
function sourceNamed(experiment: Experiment, name: string): Experiment {
  return experiment.source === name ? experiment : { ...experiment, source: name };
}

function reduceStatus(state: LabState, status: RunStatus): LabState {
  const { engine, source, experiment } = state;
  const busy = status === 'running' || status === 'paused';
  const next = {
    ...state,
    status,
    pausing: false,
    loading: status === 'loading' ? state.loading : null,
    activity: busy ? state.activity : null,
  };
  // A failure before any device was reported: nothing can be computed in this browser.
  if (status === 'failed' && !engine.adapter) return { ...next, engine: { ...engine, state: 'missing' } };
  if (status === 'failed' && engine.state === 'opening')
    return { ...next, engine: { ...engine, state: 'open' } };
  if (status !== 'ready' || engine.state !== 'opening' || !source) return next;
  return { ...next, engine: { ...engine, state: 'open' }, experiment: sourceNamed(experiment, source.name) };
}

function reduceDevice(state: LabState, { adapter }: Extract<Report, { type: 'device' }>): LabState {
  const open: LabState = { ...state, engine: { state: 'open', adapter } };
  if (!adapter.software) return open;
  const name = adapter.description || adapter.architecture || adapter.vendor || 'unnamed';
  return withNotice(open, {
    kind: 'warning',
    text: `This browser computes on a software adapter (${name}): results are right, but times are not a GPU’s. The quick look, linked below the target shape, takes a few minutes.`,
  });
}

function reduceEvents(state: LabState, events: readonly RunEvent[]): LabState {
  let { runs, currentRun, shownRun } = state;
  let rest = events;
  while (rest.length) {
    const first = rest[0]!;
    if (first.type === 'started') {
      const id = runs.length + 1;
      runs = [...runs, beginRun(id, first)];
      currentRun = id;
      shownRun = id;
      rest = rest.slice(1);
      continue;
    }
    const next = rest.findIndex((event) => event.type === 'started');
    const batch = next < 0 ? rest : rest.slice(0, next);
    const current = currentRun;
    runs = runs.map((run) => (run.id === current ? appendEvents(run, batch) : run));
    rest = rest.slice(batch.length);
  }
  return { ...state, runs, currentRun, shownRun };
}

function reduceFailure(state: LabState, report: Extract<Report, { type: 'failed' }>): LabState {
  const stopped: LabState = {
    ...state,
    loading: null,
    activity: null,
    generation: state.generation && finishWriting(state.generation),
    evaluation: null,
    comparison: state.comparison && { ...state.comparison, progress: null },
    taskScores: state.taskScores.map((scores) => ({ ...scores, progress: null })),
  };
  if (!report.fatal) return withNotice(stopped, { kind: 'error', text: report.message });
  const neverOpened = state.engine.adapter === null;
  const lost: LabState = {
    ...withSilence(stopped, false),
    status: 'failed',
    pausing: false,
    currentRun: null,
    memory: null,
    engine: { ...state.engine, state: neverOpened ? 'missing' : 'lost' },
  };
  return withNotice(lost, { kind: 'error', text: report.message, offer: neverOpened ? 'replay' : 'reopen' });
}

/** Nothing more will come: a model that has written nothing yet has an empty text. */
function finishWriting(generation: Generation): Generation {
  const end = (written: Written | null): Written => ({
    ...(written ?? { text: '', tokensPerSecond: 0 }),
    done: true,
  });
  return { ...generation, source: end(generation.source), pruned: end(generation.pruned) };
}
