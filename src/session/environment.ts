import type { Tokenizer } from '../data/tokenizer';
import type { RunControl } from '../run/run-control';
import type { FinishedRun } from '../report/run-report';
import { finalModel } from '../run/run';
import type { SourceModel } from '../run/run-context';
import type { OutputFile } from '../formats/hugging-face';
import { GpuError, openGpu, type Gpu } from '../gpu/device';
import type { FlatModel } from '../llama/parameters';
import type { UnderDeadline } from './heartbeat';
import type { Report, RunStatus } from './protocol';

export interface LabEnvironment {
  gpu: GPU | undefined;
  /** Reads a file of the site, relative to the page; reports bytes as they come. @throws one sentence */
  read(
    path: string,
    options?: { onProgress?: (loaded: number, total: number) => void; signal?: AbortSignal },
  ): Promise<ArrayBuffer>;
  post(report: Report, transfer?: Transferable[]): void;
  /** For work that may never end; without it nothing watches. */
  underDeadline?: UnderDeadline;
}

export interface OpenSource extends SourceModel {
  tokenizer: Tokenizer | null;
  /** Files that an export takes along unchanged. */
  extraFiles: OutputFile[];
}

/** A run, or a comparison that trains its control. */
export interface ActiveRun {
  control: RunControl;
  /** Ends the wait for files. */
  abort: AbortController;
  /** Resolves when the run is over, however it ended. */
  done: Promise<void>;
}

/** Cancels work that goes on; resolves when nothing of it is under way any more. */
export async function stopWork(work: ActiveRun | null): Promise<void> {
  work?.abort.abort();
  work?.control.cancel();
  await work?.done;
}

/** Everything that the engine behind the page holds: one device, one source model, at most one run. */
export interface LabState {
  readonly environment: LabEnvironment;
  device: Promise<Gpu> | null;
  source: OpenSource | null;
  /** The run that goes on; null before it and as soon as it is over. */
  run: ActiveRun | null;
  finished: FinishedRun | null;
  /** The comparison that goes on; null when there is none. */
  comparison: ActiveRun | null;
  /** Bytes of the corpus' files by path. */
  corpusFiles: Map<string, Promise<ArrayBuffer>>;
  /** Ids of generations and evaluations that nobody has cancelled. */
  wanted: Set<number>;
  /** A fatal failure was reported: the page ends this worker and opens in a fresh one. */
  over: boolean;
}

export function createState(environment: LabEnvironment): LabState {
  return {
    environment,
    device: null,
    source: null,
    run: null,
    finished: null,
    comparison: null,
    corpusFiles: new Map(),
    wanted: new Set(),
    over: false,
  };
}

export function post(state: LabState, report: Report, transfer: Transferable[] = []): void {
  // The last thing that the page hears of a lab is its fatal failure.
  if (!state.over) state.environment.post(report, transfer);
}

export function postStatus(state: LabState, status: RunStatus): void {
  post(state, { type: 'status', status });
}

/** What the lab is at, apart from loading: to be said again after a command that changed nothing. */
export function currentStatus({ run, finished, source }: LabState): RunStatus {
  if (run) return run.control.holds() ? 'paused' : 'running';
  if (!source) return 'idle';
  return finished ? 'finished' : 'ready';
}

/** @throws one sentence when no source model is open */
export function needSource({ source }: LabState): OpenSource {
  if (!source) throw new Error('No source model is open: choose one first.');
  return source;
}

export type Which = 'source' | 'pruned';

/** The models that there are to compare: the source and, after a finished run, the pruned one. */
export function comparedModels(state: LabState): { which: Which; model: FlatModel }[] {
  const models: { which: Which; model: FlatModel }[] = [{ which: 'source', model: needSource(state) }];
  if (state.finished) models.push({ which: 'pruned', model: finalModel(state.finished) });
  return models;
}

/** The device, opened when it is first needed. @throws GpuUnavailableError */
export function device(state: LabState): Promise<Gpu> {
  state.device ??= openGpu(state.environment.gpu, (reason) => {
    const cause = reason.split('\n')[0];
    endWith(
      state,
      `The graphics device was lost (${cause}): press Prune to start again, with a smaller batch if it happens twice.`,
    );
  }).then(
    (gpu) => {
      post(state, { type: 'device', adapter: gpu.adapter });
      return gpu;
    },
    (error: unknown) => {
      state.device = null;
      throw error;
    },
  );
  return state.device;
}

/** Reports that only a fresh worker helps, and lets nothing out after it. */
function endWith(state: LabState, message: string): void {
  post(state, { type: 'failed', message, fatal: true });
  state.over = true;
  void stopWork(state.run);
  void stopWork(state.comparison);
}

/** Reports what went wrong, in one line. An error of WebGPU is fatal: no result of that device counts. */
export async function reportFailure(state: LabState, error: unknown): Promise<void> {
  // A lost device also rejects whatever waits for it; its own sentence comes a moment later and is enough.
  await new Promise((resolve) => setTimeout(resolve));
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
  if (error instanceof GpuError) endWith(state, message);
  else post(state, { type: 'failed', message, fatal: false });
}

/** The same promise, but rejected as soon as nobody waits for it any more. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException('Nobody waits for it any more.', 'AbortError'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
