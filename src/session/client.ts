import { parsePulse, PING, watchHeartbeat } from './heartbeat';
import { parseReport, type Command, type Report, type RunStatus } from './protocol';

/** The part of a Worker that the client needs. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  terminate(): void;
  addEventListener(type: 'message' | 'error' | 'messageerror', listener: (event: Event) => void): void;
}

export interface SessionClient {
  /** Posts a command; buffers of opened files are moved, not copied. */
  send(command: Command): void;
  /** Ends the worker. The next command starts a new one. */
  close(): void;
}

export interface SessionListener {
  onReport(report: Report): void;
  /** The worker answers nothing any more, or answers again. */
  onSilence(silent: boolean): void;
  /** Reset went unanswered, so the worker was ended: open again. */
  onEnded(): void;
}

/** A worker that answers no ping is ended so long after Reset. */
const RESET_SILENT_MS = 5000;
/** One that answers pings may have GPU work in flight, which on a software adapter takes seconds. */
const RESET_BUSY_MS = 30_000;

/** What a reset ends in; the others may still come from before it. */
const AFTER_RESET: ReadonlySet<RunStatus> = new Set(['idle', 'ready', 'failed']);

function transferOf(command: Command): Transferable[] {
  if (command.type === 'openFiles') return command.files.map((file) => file.bytes);
  return command.type === 'importRun' ? [command.bytes] : [];
}

/** The lab's own worker, as the bundler builds it. */
export function createSessionWorker(): WorkerLike {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'shear-lab' });
}

/**
 * Speaks the session protocol with one worker at a time. Every message is checked before anyone sees it.
 * A worker that fails, that reports a fatal failure, or that misses a deadline is ended; the next command gets a
 * fresh one, so that `open` is all that is needed after a lost device. Reset ends one that does not answer it.
 */
export function createSessionClient(
  createWorker: () => WorkerLike,
  { onReport, onSilence, onEnded }: SessionListener,
): SessionClient {
  let worker: WorkerLike | null = null;
  let heartbeat: ReturnType<typeof watchHeartbeat> | null = null;
  let resetTimers: ReturnType<typeof setTimeout>[] = [];

  const forgetReset = () => {
    resetTimers.forEach(clearTimeout);
    resetTimers = [];
  };

  const end = () => {
    worker?.terminate();
    worker = null;
    heartbeat?.stop();
    heartbeat = null;
    forgetReset();
  };

  const fail = (from: WorkerLike, message: string) => {
    if (from !== worker) return;
    end();
    onReport({ type: 'failed', message, fatal: true });
  };

  const receive = (from: WorkerLike, message: unknown) => {
    if (from !== worker) return;
    const pulse = parsePulse(message);
    if (pulse) return heartbeat?.receive(pulse);
    const report = parseReport(message);
    if (!report)
      return fail(from, 'The engine sent a message that this page does not know: reload the page.');
    if (report.type === 'failed' && report.fatal) end();
    if (report.type === 'status' && AFTER_RESET.has(report.status)) forgetReset();
    onReport(report);
  };

  const begin = (): WorkerLike => {
    const created = createWorker();
    created.addEventListener('message', (event) => receive(created, (event as MessageEvent).data));
    created.addEventListener('error', (event) => {
      event.preventDefault();
      const reason = (event as ErrorEvent).message;
      fail(created, `The engine stopped${reason ? ` (${reason})` : ''}: open the source model again.`);
    });
    created.addEventListener('messageerror', () => {
      fail(created, 'A message from the engine could not be read: open the source model again.');
    });
    heartbeat = watchHeartbeat({
      ping: () => created.postMessage(PING, []),
      onSilence,
      onMissed: (what, seconds) =>
        fail(created, `${what} did not end within ${seconds} s, so the engine was ended: use another file.`),
    });
    return created;
  };

  /** Ends the worker unless it answers the reset that was just sent. */
  const holdToReset = () => {
    forgetReset();
    const giveUp = () => {
      end();
      onEnded();
    };
    resetTimers = [
      setTimeout(() => heartbeat?.silent() && giveUp(), RESET_SILENT_MS),
      setTimeout(giveUp, RESET_BUSY_MS),
    ];
  };

  return {
    send(command) {
      worker ??= begin();
      worker.postMessage(command, transferOf(command));
      if (command.type === 'reset') holdToReset();
    },
    close: end,
  };
}
