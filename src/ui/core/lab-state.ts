import type { ListedModel, ModelCard } from '../../data/model-family';
import type { TaskResult } from '../../evaluation/result';
import type { Intervention, Plan } from '../../experiment/interventions';
import { defaultExperiment, type Experiment } from '../../experiment/schema';
import type { Scores } from '../../pruning/scores/criterion';
import type { EvaluationReport } from '../../report/report';
import type { AdapterDescription } from '../../gpu/device';
import type { LlamaConfig } from '../../llama/config';
import type { Report, RunStatus, ScoredModel } from '../../session/protocol';
import { finalSettings, type KeptRun, type KeptRuns } from './kept-runs';
import { planOf, RECORDED_RUN, type RunRecord } from './run-record';

export interface SourceModel {
  name: string;
  weightsSha256: string | null;
  config: LlamaConfig;
  parameters: number;
  card: ModelCard | null;
}

export interface Notice {
  id: number;
  kind: 'information' | 'warning' | 'error';
  text: string;
  /** What the text sums up, one sentence each. */
  details?: readonly string[];
  /** What a button in the notice does. */
  offer?: 'reopen' | 'replay' | 'reset' | 'continue';
  /** The run that `continue` goes on with. */
  run?: string;
}

/** How far a job is. */
export interface JobProgress {
  what: string;
  share: number;
  secondsLeft: number | null;
}

/** Work of the engine beside a run: it can be cancelled, and is here until it ends. */
export interface Job {
  id: number;
  kind: JobKind;
  /** Null before it has begun. */
  progress: JobProgress | null;
}

export type JobKind =
  | 'generate'
  | 'evaluate'
  | 'compare'
  | 'scoreTasks'
  | 'scoreUnits'
  | 'exportModel'
  | 'exportLog'
  | 'exportRun'
  | 'importRun';

export interface Written {
  text: string;
  done: boolean;
  tokensPerSecond: number;
}

export interface Generation {
  id: number;
  /** The run whose model writes beside the source; null: none. */
  run: string | null;
  prompt: string;
  source: Written | null;
  pruned: Written | null;
}

export interface DomainLosses {
  loss: number[];
  tokens: number[];
}

export interface FullEvaluation {
  id: number;
  /** The run whose model is measured beside the source; null: none. */
  run: string | null;
  source: DomainLosses | null;
  pruned: DomainLosses | null;
}

/** The models of a run side by side. */
export interface Comparison {
  id: number;
  run: string;
  /** What there is of it so far. */
  report: EvaluationReport | null;
}

/** One model on the tasks. */
export interface TaskScores {
  id: number;
  which: ScoredModel;
  /** The run whose model it is; null: the source. */
  run: string | null;
  results: readonly TaskResult[];
}

/** How important the units of a source model are, by scores. */
export interface UnitScores {
  source: string;
  weightsSha256: string | null;
  scores: Scores;
  /** The settings that they were taken with, or the file that they came from. */
  origin: { experiment: Experiment } | { file: string };
}

/** What the page shows, and nothing that can be computed from it. */
export interface LabState {
  /** A draft, and what Prune starts: shown by the form unless it shows the settings of a run (`settingsShown`). */
  experiment: Experiment;
  /** Changes on the way that the draft brings along. */
  interventions: readonly Intervention[];
  /** The form shows the draft although a run is shown. */
  drafting: boolean;
  /** Changes of the run that goes on which are not in its log yet, by the fields' keys. */
  pending: Intervention['changes'];
  notices: readonly Notice[];
  engine: {
    /** `missing`: cannot run here at all; `lost`: ran, and stopped. */
    state: 'closed' | 'opening' | 'open' | 'missing' | 'lost';
    adapter: AdapterDescription | null;
  };
  /** Source models that come with the site. */
  models: readonly ListedModel[];
  source: SourceModel | null;
  status: RunStatus;
  /** Pause was pressed, and the engine has not said yet that it holds. */
  pausing: boolean;
  /** The engine answers no ping: src/session/heartbeat.ts. */
  silent: boolean;
  loading: Extract<Report, { type: 'loading' }> | null;
  activity: Extract<Report, { type: 'activity' }> | null;
  /** GPU bytes of the lab's buffers: now, and the most since the run began. */
  memory: { held: number; most: number } | null;
  /** The runs kept on this machine; null before the engine has told. */
  kept: KeptRuns | null;
  /** Runs whose events the page has: the one that goes on, the shown one, the overlaid one. */
  records: readonly RunRecord[];
  /** Kept runs whose events were asked for. */
  reading: readonly string[];
  /** The run that the engine works on, or worked on last; null before the first and after Reset. */
  currentRun: string | null;
  /** The run in the anatomy and the charts. */
  shownRun: string | null;
  /** A second run whose losses are drawn over those of the shown one. */
  overlaidRun: string | null;
  recorded: {
    state: 'loading' | 'playing' | 'paused' | 'ended' | 'unavailable';
    run: RunRecord | null;
  };
  jobs: readonly Job[];
  generation: Generation | null;
  evaluation: FullEvaluation | null;
  comparison: Comparison | null;
  /** Of the open source and of runs' models: the newest of each. */
  taskScores: readonly TaskScores[];
  /** Of the open source; null before it was scored. */
  unitScores: UnitScores | null;
  exported: { fileName: string; bytes: ArrayBuffer } | null;
}

export function initialState(
  { experiment, interventions }: Plan = { experiment: defaultExperiment(), interventions: [] },
): LabState {
  return {
    experiment,
    interventions,
    drafting: false,
    pending: {},
    notices: [],
    engine: { state: 'closed', adapter: null },
    models: [],
    source: null,
    status: 'idle',
    pausing: false,
    silent: false,
    loading: null,
    activity: null,
    memory: null,
    kept: null,
    records: [],
    reading: [],
    currentRun: null,
    shownRun: null,
    overlaidRun: null,
    recorded: { state: 'loading', run: null },
    jobs: [],
    generation: null,
    evaluation: null,
    comparison: null,
    taskScores: [],
    unitScores: null,
    exported: null,
  };
}

/** Adds a notice; one that already stands with the same words is not repeated. */
export function withNotice(state: LabState, notice: Omit<Notice, 'id'>): LabState {
  if (state.notices.some((other) => other.text === notice.text)) return state;
  const id = state.notices.reduce((last, other) => Math.max(last, other.id), 0) + 1;
  return { ...state, notices: [...state.notices, { ...notice, id }] };
}

const SILENCE =
  'The engine does not answer. It may come back; Reset stops the run, and ends the engine if it stays silent.';

/** Sets whether the engine is silent, with the notice that says so and offers Reset. */
export function withSilence(state: LabState, silent: boolean): LabState {
  if (silent) return withNotice({ ...state, silent }, { kind: 'warning', text: SILENCE, offer: 'reset' });
  return { ...state, silent, notices: state.notices.filter((notice) => notice.offer !== 'reset') };
}

/** The events of a run, where the page has them. */
export function findRun(state: Pick<LabState, 'records' | 'recorded'>, id: string | null): RunRecord | null {
  if (id === null) return null;
  if (id === RECORDED_RUN) return state.recorded.run;
  return state.records.find((run) => run.id === id) ?? null;
}

/** What is noted of a kept run. */
export function findKept({ kept }: Pick<LabState, 'kept'>, id: string | null): KeptRun | null {
  return kept?.runs.find((run) => run.id === id) ?? null;
}

/** What a run is called. */
export function runName(state: Pick<LabState, 'kept'>, id: string): string {
  return id === RECORDED_RUN ? 'Recorded run' : (findKept(state, id)?.name ?? 'New run');
}

/** Whether the engine works on a run, or holds it. */
export const isGoing = ({ status, currentRun }: Pick<LabState, 'status' | 'currentRun'>): boolean =>
  currentRun !== null && (status === 'running' || status === 'paused');

/** The kept run that is shown and whose settings stand in the form; null where that is a draft. */
export function followedRun(state: LabState): RunRecord | null {
  if (state.drafting || state.shownRun === RECORDED_RUN) return null;
  return findRun(state, state.shownRun);
}

/** The settings in the form, changes that are on their way included. */
export function settingsShown(state: LabState): Experiment {
  const run = followedRun(state);
  if (run) return withPending(run.settings, state);
  // Its events are still on their way.
  const kept = state.drafting ? null : findKept(state, state.shownRun);
  return kept?.settings ?? state.experiment;
}

/** One object for each settings and pending changes: components compare by identity. */
let shown: { settings: Experiment; pending: Intervention['changes']; both: Experiment } | null = null;

function withPending(settings: Experiment, { pending }: LabState): Experiment {
  if (Object.keys(pending).length === 0) return settings;
  if (shown?.settings !== settings || shown.pending !== pending) {
    shown = {
      settings,
      pending,
      both: finalSettings({ experiment: settings, interventions: [{ at: 0, changes: pending }] }),
    };
  }
  return shown.both;
}

/** What the form stands for, as a link: the plan of the run that it follows, or the draft. */
export function planShown(state: LabState): Plan {
  const run = followedRun(state);
  return run ? planOfRun(state, run) : { experiment: state.experiment, interventions: state.interventions };
}

/** What a run follows, interventions that are still to come included. */
export function planOfRun(state: Pick<LabState, 'kept'>, run: RunRecord): Plan {
  return planOf(run, findKept(state, run.id)?.plan?.interventions);
}

/** The job of this kind that goes on. */
export function findJob({ jobs }: Pick<LabState, 'jobs'>, kind: JobKind): Job | null {
  return jobs.find((job) => job.kind === kind) ?? null;
}
