import type { Tokenizer } from '../data/tokenizer';
import type { OutputFile } from '../formats/hugging-face';
import { GpuError, openGpu, type Gpu } from '../gpu/device';
import type { RunTransport } from '../run/run-control';
import type { SourceModel } from '../run/run-context';
import type { RunStore } from '../storage/run-store';
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
  /** Opens the place where runs are kept. */
  openStore(): Promise<RunStore>;
  /** For work that may never end; without it nothing watches. */
  underDeadline?: UnderDeadline;
}

export interface OpenSource extends SourceModel {
  tokenizer: Tokenizer | null;
  /** Files that an export takes along unchanged. */
  extraFiles: OutputFile[];
}

/** The run that goes on. */
export interface ActiveRun {
  /** Its identifier in the store. */
  id: string;
  control: RunTransport;
  /** Resolves when the run is over, however it ended. */
  done: Promise<void>;
  /** Says again what has not been said yet of its log. */
  flush(): Promise<void>;
}

/** Everything that the engine behind the page holds: one device, one source model, at most one run. */
export interface LabState {
  readonly environment: LabEnvironment;
  device: Promise<Gpu> | null;
  store: Promise<RunStore> | null;
  source: OpenSource | null;
  /** The run that goes on; null before it and as soon as it is over. */
  run: ActiveRun | null;
  /** The newest run of this session has finished, and nothing has begun since. */
  finished: boolean;
  /** Jobs that nobody has cancelled, by their ids. */
  jobs: Map<number, AbortController>;
  /** Bytes of the corpus' files by path. */
  corpusFiles: Map<string, Promise<ArrayBuffer>>;
  /** A fatal failure was reported: the page ends this worker and opens in a fresh one. */
  over: boolean;
}

export function createState(environment: LabEnvironment): LabState {
  return {
    environment,
    device: null,
    store: null,
    source: null,
    run: null,
    finished: false,
    jobs: new Map(),
    corpusFiles: new Map(),
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

/** Stops the run that goes on; resolves when nothing of it is under way any more. */
export async function stopRun(state: LabState): Promise<void> {
  state.run?.control.cancel();
  await state.run?.done;
  state.finished = false;
}

/** The device, opened when it is first needed. @throws GpuUnavailableError */
export function device(state: LabState): Promise<Gpu> {
  state.device ??= openGpu(state.environment.gpu, (reason) => {
    endWith(state, `The graphics device was lost (${reason.split('\n')[0]}).`);
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

/** Where runs are kept, opened when it is first needed; says so when its list changes. */
export function storeOf(state: LabState): Promise<RunStore> {
  state.store ??= state.environment.openStore();
  return state.store;
}

/** Reports that only a fresh worker helps, and lets nothing out after it. */
function endWith(state: LabState, message: string): void {
  post(state, { type: 'failed', message, fatal: true });
  state.over = true;
  state.run?.control.cancel();
  for (const job of state.jobs.values()) job.abort();
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
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
