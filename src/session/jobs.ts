import { isCancellation } from '../run/run-control';
import { createThrottle } from '../run/throttle';
import { createShareTimeLeft } from '../run/time-left';
import { post, type LabState } from './environment';

/** More often than this nobody reads how far a job is. */
const PROGRESS_MS = 100;

/** Work beside a run: it can be cancelled, says how far it is, and ends once. */
export interface Job {
  id: number;
  /** Aborts when nobody waits for the job any more. */
  signal: AbortSignal;
  /** What it is at, and the share of it that is done. @throws the signal's reason */
  progress(what: string, share: number): void;
}

/** Notes a job before its turn has come, so that it can be cancelled from then on. */
export function announceJob(state: LabState, id: number): void {
  state.jobs.set(id, new AbortController());
}

/** Ends with `jobEnded`, however `work` ended; a cancelled job is silent. @throws what `work` throws */
export async function runJob(state: LabState, id: number, work: (job: Job) => Promise<void>): Promise<void> {
  const abort = state.jobs.get(id) ?? new AbortController();
  const { signal } = abort;
  const due = createThrottle(PROGRESS_MS);
  const secondsLeft = createShareTimeLeft();
  try {
    signal.throwIfAborted();
    await work({
      id,
      signal,
      progress(what, share) {
        signal.throwIfAborted();
        if (due()) post(state, { type: 'progress', id, what, share, secondsLeft: secondsLeft(share) });
      },
    });
  } catch (error) {
    if (!(signal.aborted && isCancellation(error))) throw error;
  } finally {
    state.jobs.delete(id);
    post(state, { type: 'jobEnded', id });
  }
}

export function cancelJob(state: LabState, id: number): void {
  state.jobs.get(id)?.abort(cancelled());
}

const cancelled = () => new DOMException('Nobody waits for this any more.', 'AbortError');
