import type { Command, Report } from './protocol';
import { parseReport } from './report-schema';

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

/** The lab's own worker, as the bundler builds it. */
export function createSessionWorker(): WorkerLike {
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'shear-lab' });
}

/**
 * Speaks the session protocol with one worker at a time. Every message is checked before anyone sees it.
 * A worker that fails, or that reports a fatal failure, is ended; the next command gets a fresh one, so
 * that `open` is all that is needed after a lost device.
 */
export function createSessionClient(
  createWorker: () => WorkerLike,
  onReport: (report: Report) => void,
): SessionClient {
  let worker: WorkerLike | null = null;

  const end = () => {
    worker?.terminate();
    worker = null;
  };

  const fail = (from: WorkerLike, message: string) => {
    if (from !== worker) return;
    end();
    onReport({ type: 'failed', message, fatal: true });
  };

  const begin = (): WorkerLike => {
    const created = createWorker();
    created.addEventListener('message', (event) => {
      if (created !== worker) return;
      const report = parseReport((event as MessageEvent).data);
      if (!report)
        return fail(created, 'The engine sent a message that this page does not know: reload the page.');
      if (report.type === 'failed' && report.fatal) end();
      onReport(report);
    });
    created.addEventListener('error', (event) => {
      event.preventDefault();
      const reason = (event as ErrorEvent).message;
      fail(created, `The engine stopped${reason ? ` (${reason})` : ''}: open the source model again.`);
    });
    created.addEventListener('messageerror', () => {
      fail(created, 'A message from the engine could not be read: open the source model again.');
    });
    return created;
  };

  return {
    send(command) {
      worker ??= begin();
      worker.postMessage(
        command,
        command.type === 'openFiles' ? command.files.map((file) => file.bytes) : [],
      );
    },
    close: end,
  };
}
