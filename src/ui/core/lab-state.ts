import type { ListedModel, ModelCard } from '../../data/model-family';
import type { TaskResult } from '../../evaluation/result';
import { defaultExperiment, type Experiment } from '../../experiment/schema';
import type { EvaluationReport } from '../../report/report';
import type { AdapterDescription } from '../../gpu/device';
import type { LlamaConfig } from '../../llama/config';
import type { Report, RunStatus, ScoredModel } from '../../session/protocol';
import type { RunRecord } from './run-record';

export interface SourceModel {
  name: string;
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
  offer?: 'reopen' | 'replay' | 'reset';
}

export interface Written {
  text: string;
  done: boolean;
  tokensPerSecond: number;
}

export interface Generation {
  id: number;
  prompt: string;
  source: Written | null;
  pruned: Written | null;
}

export interface DomainLosses {
  loss: number[];
  tokens: number[];
  done: boolean;
}

export interface FullEvaluation {
  id: number;
  /** The run whose pruned model is measured; null: there was none. */
  run: number | null;
  source: DomainLosses | null;
  pruned: DomainLosses | null;
}

/** The models of a run side by side. */
export interface Comparison {
  id: number;
  run: number;
  /** Null when it is over: finished, cancelled or failed. */
  progress: { what: string; share: number; secondsLeft: number | null } | null;
  /** What there is of it so far. */
  report: EvaluationReport | null;
}

/** One model on the tasks. */
export interface TaskScores {
  id: number;
  which: ScoredModel;
  /** The run whose model it is; null: the source. */
  run: number | null;
  /** Null when it is over: finished, cancelled or failed. */
  progress: {
    task: string;
    items: number;
    totalItems: number;
    share: number;
    secondsLeft: number | null;
  } | null;
  results: readonly TaskResult[];
}

/** What the page shows, and nothing that can be computed from it. */
export interface LabState {
  experiment: Experiment;
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
  runs: readonly RunRecord[];
  /** The run that the engine holds; null before the first and after Reset. */
  currentRun: number | null;
  /** The run in the anatomy and the charts. */
  shownRun: number | null;
  /** A second run whose losses are drawn over those of the shown one. */
  overlaidRun: number | null;
  recorded: {
    state: 'loading' | 'playing' | 'paused' | 'ended' | 'unavailable';
    run: RunRecord | null;
  };
  generation: Generation | null;
  evaluation: FullEvaluation | null;
  comparison: Comparison | null;
  /** Of the open source and of the runs' models: the newest of each. */
  taskScores: readonly TaskScores[];
  exported: { fileName: string; bytes: ArrayBuffer } | null;
}

export function initialState(experiment: Experiment = defaultExperiment()): LabState {
  return {
    experiment,
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
    runs: [],
    currentRun: null,
    shownRun: null,
    overlaidRun: null,
    recorded: { state: 'loading', run: null },
    generation: null,
    evaluation: null,
    comparison: null,
    taskScores: [],
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
  'The engine does not answer. It may come back; Reset drops the run, and ends the engine if it stays silent.';

/** Sets whether the engine is silent, with the notice that says so and offers Reset. */
export function withSilence(state: LabState, silent: boolean): LabState {
  if (silent) return withNotice({ ...state, silent }, { kind: 'warning', text: SILENCE, offer: 'reset' });
  return { ...state, silent, notices: state.notices.filter((notice) => notice.offer !== 'reset') };
}

export function findRun(state: Pick<LabState, 'runs' | 'recorded'>, id: number | null): RunRecord | null {
  if (id === null) return null;
  if (id === 0) return state.recorded.run;
  return state.runs.find((run) => run.id === id) ?? null;
}

/** Whether a part of an evaluation is still to come: of the source, or of the run's pruned model. */
export function isMeasuring({ run, source, pruned }: FullEvaluation): boolean {
  return !source?.done || (run !== null && !pruned?.done);
}
