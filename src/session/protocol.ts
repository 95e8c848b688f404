import type { ModelCard } from '../data/model-family';
import type { TaskResult } from '../evaluation/result';
import type { RunEvent } from '../run/events';
import type { EvaluationReport } from '../report/report';
import type { ReportRequest } from '../report/run-report';
import type { Experiment } from '../experiment/schema';
import type { AdapterDescription } from '../gpu/device';
import type { LlamaConfig } from '../llama/config';

/**
 * Everything the page may ask of the worker that owns the GPU. What changes the source or the run is done in
 * the order in which it came; a newer `open` or `openFiles` takes the place of one that is still loading.
 */
export type Command =
  /**
   * Opens the device and the source model; answers `device`, `loading`…, `source`. null: the model of the site
   * that suits the device (src/session/choosing.ts).
   */
  | { type: 'open'; source: string | null; baseUrl: string }
  /** A model that the visitor chose: the files of a Hugging Face folder. Becomes source `local`. */
  | { type: 'openFiles'; files: { name: string; bytes: ArrayBuffer }[]; baseUrl: string }
  | { type: 'start'; experiment: Experiment }
  | { type: 'pause' }
  | { type: 'resume' }
  /** Runs one optimiser step and pauses again. */
  | { type: 'step' }
  /** Drops the run and its pruned model; the source stays. */
  | { type: 'reset' }
  /** The source and, when there is one, the pruned model continue `prompt`, side by side. */
  | { type: 'generate'; id: number; prompt: string; maxTokens: number; temperature: number; seed: number }
  | { type: 'cancelGeneration'; id: number }
  | { type: 'cancelEvaluation'; id: number }
  /** The validation split, at most `windows` of each domain: perplexity by domain of source and pruned model. */
  | { type: 'evaluate'; id: number; windows: number; contextLength: number }
  /** Measures the models of the finished run side by side; answers `comparing`…, `compared`…. */
  | { type: 'compare'; id: number; request: ReportRequest }
  | { type: 'cancelComparison' }
  /** A model on the first `limit` items of every task of the site; answers `scoring`…, `scored`…. */
  | { type: 'scoreTasks'; id: number; which: ScoredModel; limit: number }
  | { type: 'cancelScoring'; id: number }
  | { type: 'exportModel' };

/** The source, or a model of the finished run: as cut, or after retraining. */
export type ScoredModel = 'source' | 'pruned' | 'retrained';

export type RunStatus = 'idle' | 'loading' | 'ready' | 'running' | 'paused' | 'finished' | 'failed';

export type Report =
  | { type: 'device'; adapter: AdapterDescription }
  | { type: 'loading'; what: string; loaded: number; total: number }
  | { type: 'source'; name: string; config: LlamaConfig; parameters: number; card: ModelCard | null }
  | { type: 'status'; status: RunStatus }
  /** Events in order, batched (at most about twenty batches a second). */
  | { type: 'events'; events: RunEvent[] }
  /** What the worker does between events, with the share done and the time left where known. */
  | { type: 'activity'; what: string; done: number; total: number; secondsLeft: number | null }
  | {
      type: 'generated';
      id: number;
      which: 'source' | 'pruned';
      text: string;
      done: boolean;
      tokensPerSecond: number;
    }
  | {
      type: 'evaluated';
      id: number;
      which: 'source' | 'pruned';
      loss: number[];
      tokens: number[];
      done: boolean;
    }
  /** What a comparison is at, the share of all its work that is done, and the time left where known. */
  | { type: 'comparing'; id: number; what: string; share: number; secondsLeft: number | null }
  /** The report so far, after each model; `done` also ends a comparison that was cancelled, with what there is. */
  | { type: 'compared'; id: number; report: EvaluationReport | null; done: boolean }
  /** How far a model is through its tasks. */
  | {
      type: 'scoring';
      id: number;
      task: string;
      items: number;
      totalItems: number;
      share: number;
      secondsLeft: number | null;
    }
  /** Results as they come; `done` also ends a scoring that was cancelled or that failed. */
  | { type: 'scored'; id: number; results: TaskResult[]; done: boolean }
  | { type: 'exported'; fileName: string; bytes: ArrayBuffer }
  | { type: 'memory'; heldBytes: number }
  /** One sentence that names the field and the fix. `fatal`: the device is gone; only `open` helps. */
  | { type: 'failed'; message: string; fatal: boolean };
