import { z } from 'zod';
import type { ModelCard } from '../data/model-family';
import type { TaskResult } from '../evaluation/result';
import type { Intervention, Plan } from '../experiment/interventions';
import type { Experiment } from '../experiment/schema';
import type { AdapterDescription } from '../gpu/device';
import type { LlamaConfig } from '../llama/config';
import type { Scores } from '../pruning/scores/criterion';
import type { EvaluationReport } from '../report/report';
import type { ReportRequest } from '../report/run-report';
import type { RunEvent } from '../run/events';
import type { RunChange } from '../storage/kept-run';
import type { RunList } from '../storage/run-store';

/**
 * Everything the page may ask of the worker that owns the GPU. What changes the source or the run is done in the
 * order in which it came; a newer `open` or `openFiles` takes the place of one that is still loading. What has an
 * `id` is a job: it goes on beside a run, reports `progress`, ends with `jobEnded`, and can be cancelled. `run` is
 * the identifier of a kept run.
 */
export type Command =
  /**
   * Opens the device and the source model; answers `device`, `loading`…, `source`. null: the model of the site
   * that suits the device (src/session/choosing.ts).
   */
  | { type: 'open'; source: string | null; baseUrl: string }
  /** A model that the visitor chose: the files of a Hugging Face folder. Becomes source `local`. */
  | { type: 'openFiles'; files: { name: string; bytes: ArrayBuffer }[]; baseUrl: string }
  | { type: 'start'; plan: Plan }
  /** Goes on with a kept run from its last checkpoint, with `changes` from there on: more steps, say. */
  | { type: 'continue'; run: string; changes: Intervention['changes'] }
  /** Changes live settings of the run from its next step on. */
  | { type: 'change'; changes: Intervention['changes'] }
  | { type: 'pause' }
  | { type: 'resume' }
  /** Runs one optimiser step and pauses again. */
  | { type: 'step' }
  /** Stops the run, which stays kept; the source stays open. */
  | { type: 'reset' }
  | { type: 'cancel'; id: number }
  /** The source and, where a run is named, the model that came out of it continue `prompt`, side by side. */
  | {
      type: 'generate';
      id: number;
      run: string | null;
      prompt: string;
      maxTokens: number;
      temperature: number;
      seed: number;
    }
  /** The validation split, at most `windows` of each domain: perplexity by domain of the same models. */
  | { type: 'evaluate'; id: number; run: string | null; windows: number; contextLength: number }
  /** Measures the models of a finished run side by side; answers `compared`…. */
  | { type: 'compare'; id: number; run: string; request: ReportRequest }
  /** A model on the first `limit` items of every task of the site; answers `scored`…. */
  | { type: 'scoreTasks'; id: number; run: string | null; which: ScoredModel; limit: number }
  /** How important the units of the source are, by these settings' `scores` and `calibration`; answers `unitScores`. */
  | { type: 'scoreUnits'; id: number; experiment: Experiment }
  /** The model that came out of a run, as a zipped Hugging Face folder. */
  | { type: 'exportModel'; id: number; run: string }
  /** A run with everything that is kept of it, as one file. */
  | { type: 'exportRun'; id: number; run: string }
  | { type: 'importRun'; id: number; bytes: ArrayBuffer }
  /** A run's metrics, a row a step, or its whole log. */
  | { type: 'exportLog'; id: number; run: string; format: 'csv' | 'json' }
  /** Answers with every event of a kept run, and with its newest ones where it goes on. */
  | { type: 'showRun'; run: string }
  | { type: 'listRuns' }
  | { type: 'updateRun'; run: string; change: Pick<RunChange, 'name' | 'note' | 'colour'> }
  | { type: 'removeRun'; run: string };

/** The source, or a model of a finished run: as cut, or after retraining. */
export type ScoredModel = 'source' | 'pruned' | 'retrained';

const id = z.int().nonnegative();
const count = z.number().nonnegative();
const which = z.enum(['source', 'pruned']);
const runStatus = z.enum(['idle', 'loading', 'ready', 'running', 'paused', 'finished', 'failed']);
/** Losses may be infinite when a run diverges: that is news to show, not a broken message. */
const anyNumber = z.custom<number>((value) => typeof value === 'number', 'must be a number');
const bytes = z.custom<ArrayBuffer>((value) => value instanceof ArrayBuffer, 'must be an ArrayBuffer');
/**
 * What the same version of the lab made: its kind is checked here, its fields by their type. Where `fields` are
 * named, they must be there.
 */
const ours = <T extends object>(...fields: (keyof T & string)[]) =>
  z.custom<T>(
    (value) => typeof value === 'object' && value !== null && fields.every((field) => field in value),
    'must be an object of the lab',
  );
const listOf = <T extends object>(...fields: (keyof T & string)[]) => z.array(ours<T>(...fields));

const reportSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('device'),
    adapter: z.object({
      vendor: z.string(),
      architecture: z.string(),
      description: z.string(),
      software: z.boolean(),
    }) satisfies z.ZodType<AdapterDescription>,
  }),
  z.object({ type: z.literal('loading'), what: z.string(), loaded: count, total: count }),
  z.object({
    type: z.literal('source'),
    name: z.string(),
    weightsSha256: z.string().nullable(),
    config: ours<LlamaConfig>('hiddenSize', 'numHiddenLayers'),
    parameters: count,
    card: ours<ModelCard>('name').nullable(),
  }),
  z.object({ type: z.literal('status'), status: runStatus }),
  /** Events of a run in order, batched (at most about twenty batches a second). */
  z.object({ type: z.literal('events'), run: z.string(), events: listOf<RunEvent>('type') }),
  /** What the worker does between events, with the share done and the time left where known. */
  z.object({
    type: z.literal('activity'),
    what: z.string(),
    done: count,
    total: count,
    secondsLeft: anyNumber.nullable(),
  }),
  /** What a job is at, the share of it that is done, and the time left where known. */
  z.object({
    type: z.literal('progress'),
    id,
    what: z.string(),
    share: anyNumber,
    secondsLeft: anyNumber.nullable(),
  }),
  /** A job is over: finished, cancelled or failed. */
  z.object({ type: z.literal('jobEnded'), id }),
  z.object({
    type: z.literal('generated'),
    id,
    which,
    text: z.string(),
    done: z.boolean(),
    tokensPerSecond: anyNumber,
  }),
  z.object({
    type: z.literal('evaluated'),
    id,
    which,
    loss: z.array(anyNumber),
    tokens: z.array(count),
  }),
  /** The report so far, after each model. */
  z.object({ type: z.literal('compared'), id, report: ours<EvaluationReport>('format', 'arms') }),
  /** Results of tasks as they come. */
  z.object({ type: z.literal('scored'), id, results: listOf<TaskResult>('task', 'outcomes') }),
  /** Scores of every set of the model with this name and hash, taken with these settings. */
  z.object({
    type: z.literal('unitScores'),
    id,
    source: z.string(),
    weightsSha256: z.string().nullable(),
    experiment: ours<Experiment>('scores', 'calibration'),
    scores: ours<Scores>('values'),
  }),
  z.object({ type: z.literal('exported'), fileName: z.string(), bytes }),
  z.object({ type: z.literal('memory'), heldBytes: count }),
  /** The runs kept on this machine; `notice` says why none outlives the tab, where that is so. */
  z.object({
    type: z.literal('runs'),
    list: ours<RunList>('runs', 'damaged'),
    used: count,
    notice: z.string().nullable(),
  }),
  /** One sentence that is no failure: a change that cannot be made, a checkpoint that was damaged. */
  z.object({ type: z.literal('notice'), message: z.string() }),
  /** One sentence that names the field and the fix. `fatal`: the device is gone; only `open` helps. */
  z.object({ type: z.literal('failed'), message: z.string(), fatal: z.boolean() }),
]);

export type Report = z.infer<typeof reportSchema>;
export type RunStatus = z.infer<typeof runStatus>;

/** A message from the worker as a Report, or null when it is none. */
export function parseReport(message: unknown): Report | null {
  const result = reportSchema.safeParse(message);
  return result.success ? result.data : null;
}
