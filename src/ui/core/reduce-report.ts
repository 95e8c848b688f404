import type { RunEvent } from '../../run/events';
import type { Experiment } from '../../experiment/schema';
import type { Report, RunStatus } from '../../session/protocol';
import { readKept } from './kept-runs';
import { isGoing, type LabState, type UnitScores, withNotice, withSilence } from './lab-state';
import { appendEvents, beginRun } from './run-record';

/** The state after one report of the engine. Pure but for the lists of a run's record, which grow in place. */
export function reduceReport(state: LabState, report: Report): LabState {
  switch (report.type) {
    case 'device':
      return reduceDevice(state, report);
    case 'loading':
      return { ...state, loading: report };
    case 'source': {
      const { name, weightsSha256, config, parameters, card } = report;
      return {
        ...state,
        // The device is reported once a worker; a second source opens on the same one.
        engine: { ...state.engine, state: 'open' },
        source: { name, weightsSha256, config, parameters, card },
        experiment: sourceNamed(state.experiment, name),
        taskScores: state.taskScores.filter(({ id }) => hasJob(state, id)),
        unitScores: areOf(state.unitScores, report) ? state.unitScores : null,
      };
    }
    case 'status':
      return reduceStatus(state, report.status);
    case 'events':
      return reduceEvents(state, report.run, report.events);
    case 'activity':
      return { ...state, activity: report };
    case 'progress': {
      const { id, what, share, secondsLeft } = report;
      const progress = { what, share, secondsLeft };
      return { ...state, jobs: state.jobs.map((job) => (job.id === id ? { ...job, progress } : job)) };
    }
    case 'jobEnded':
      return { ...state, jobs: state.jobs.filter(({ id }) => id !== report.id) };
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
      const { loss, tokens } = report;
      return { ...state, evaluation: { ...state.evaluation, [report.which]: { loss, tokens } } };
    }
    case 'compared': {
      const { comparison } = state;
      if (comparison?.id !== report.id) return state;
      return { ...state, comparison: { ...comparison, report: report.report } };
    }
    case 'scored':
      return {
        ...state,
        taskScores: state.taskScores.map((scores) =>
          scores.id === report.id ? { ...scores, results: [...scores.results, ...report.results] } : scores,
        ),
      };
    case 'unitScores': {
      const { source, weightsSha256, experiment, scores } = report;
      const unitScores = { source, weightsSha256, scores, origin: { experiment } };
      // Another model may have been opened since.
      return state.source && areOf(unitScores, state.source) ? { ...state, unitScores } : state;
    }
    case 'exported':
      return { ...state, exported: { fileName: report.fileName, bytes: report.bytes } };
    case 'memory':
      return {
        ...state,
        memory: { held: report.heldBytes, most: Math.max(report.heldBytes, state.memory?.most ?? 0) },
      };
    case 'runs':
      return reduceRuns(state, report);
    case 'notice':
      return withNotice(state, { kind: 'warning', text: report.message });
    case 'failed':
      return reduceFailure(state, report);
  }
}

/** Whether scores are of this model. */
const areOf = (scores: UnitScores | null, model: { name: string; weightsSha256: string | null }) =>
  scores?.source === model.name && scores.weightsSha256 === model.weightsSha256;

const hasJob = ({ jobs }: LabState, id: number) => jobs.some((job) => job.id === id);

/** What is open decides: a folder becomes `local`, and a model that would not open leaves the one before. */
function sourceNamed(experiment: Experiment, name: string): Experiment {
  return experiment.source === name ? experiment : { ...experiment, source: name };
}

/** A run that was deleted, here or in another tab, is not shown any longer. */
function reduceRuns(state: LabState, report: Extract<Report, { type: 'runs' }>): LabState {
  const kept = readKept(report, state.kept);
  const gone = (id: string) =>
    id !== state.currentRun &&
    (state.kept?.runs.some((run) => run.id === id) ?? false) &&
    !kept.runs.some((run) => run.id === id);
  const stays = (id: string | null) => (id === null || gone(id) ? null : id);
  return {
    ...state,
    kept,
    records: state.records.filter(({ id }) => !gone(id)),
    shownRun: stays(state.shownRun),
    overlaidRun: stays(state.overlaidRun),
  };
}

function reduceStatus(state: LabState, status: RunStatus): LabState {
  const { engine, source, experiment } = state;
  const busy = status === 'running' || status === 'paused';
  const next = {
    ...state,
    status,
    pausing: false,
    pending: busy ? state.pending : {},
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
    text: `This browser computes on a software adapter (${name}): results are right, but times are not a GPU’s. “Quick look”, an example below the target shape, takes a few minutes.`,
  });
}

/**
 * Events are the next of their run's log. `started` begins its record anew: of a run that begins, of one that goes
 * on from a checkpoint, or of a kept one that was asked for.
 */
function reduceEvents(state: LabState, id: string, events: readonly RunEvent[]): LabState {
  const [first] = events;
  let next = state;
  if (first?.type === 'started') {
    const others = state.records.filter((run) => run.id !== id);
    next = { ...state, records: [...others, beginRun(id, first)] };
    if (state.reading.includes(id)) next.reading = state.reading.filter((other) => other !== id);
    else next = { ...next, currentRun: id, shownRun: id, drafting: false };
  }
  const records = next.records.map((run) => (run.id === id ? appendEvents(run, events) : run));
  return { ...next, records, pending: withoutTaken(next, id, events) };
}

/** A change that stands in the log is pending no more. */
function withoutTaken(state: LabState, id: string, events: readonly RunEvent[]): LabState['pending'] {
  const { pending, currentRun } = state;
  if (id !== currentRun || Object.keys(pending).length === 0) return pending;
  const taken = new Map(
    events.flatMap((event) => (event.type === 'intervention' ? Object.entries(event.changes) : [])),
  );
  if (taken.size === 0) return pending;
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return Object.fromEntries(Object.entries(pending).filter(([key, value]) => !same(taken.get(key), value)));
}

/** What was asked for and cannot be had: its own sentence says why, and nothing of it is waited for. */
function reduceFailure(state: LabState, report: Extract<Report, { type: 'failed' }>): LabState {
  const error = { kind: 'error', text: report.message } as const;
  // Whether a job failed or a change was refused: what the form shows is what the run has.
  if (!report.fatal) return withNotice({ ...state, loading: null, reading: [], pending: {} }, error);
  const neverOpened = state.engine.adapter === null;
  const lost: LabState = {
    ...withSilence(state, false),
    loading: null,
    activity: null,
    reading: [],
    pending: {},
    jobs: [],
    status: 'failed',
    pausing: false,
    currentRun: isGoing(state) ? null : state.currentRun,
    memory: null,
    engine: { ...state.engine, state: neverOpened ? 'missing' : 'lost' },
  };
  return withNotice(lost, { ...error, offer: neverOpened ? 'replay' : 'reopen' });
}
