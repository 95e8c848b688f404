import type { Intervention } from '../experiment/interventions';

/** What a run asks before each piece of work. */
export interface RunControl {
  /** Aborts when nobody waits for the run's result any more. */
  readonly signal: AbortSignal;
  paused(): boolean;
  /**
   * Resolves with true when the run may do the next optimiser step, with false when there are changes to take
   * first, unless they are to be left for later. @throws the signal's reason
   */
  step(changesLater?: boolean): Promise<boolean>;
  /** Resolves when the run may do other work (a batch of an evaluation). @throws the signal's reason */
  work(): Promise<void>;
  /** Whether changes were asked for that were not taken. */
  changesWaiting(): boolean;
  /** The changes asked for since the last call, in their order. */
  takeChanges(): Intervention['changes'][];
  /** Milliseconds since the start in which the run was not paused. */
  elapsedMs(): number;
}

/** The other side of a run: pause, resume, one step, change, cancel. */
export interface RunTransport extends RunControl {
  pause(): void;
  resume(): void;
  /** Lets one optimiser step through, then is paused again. */
  allowStep(): void;
  /** Asks for other settings from the next step on. */
  change(changes: Intervention['changes']): void;
  cancel(): void;
  /** A paused run waits before its next step: nothing of it is in flight. */
  holds(): boolean;
}

/** Whether a run (or any other job) ended because nobody waits for it any more. */
export function isCancellation(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/**
 * @param elapsedBefore milliseconds that the run took before it was taken up again.
 * @param onHold called each time a paused run begins to wait for its next step
 */
export function createRunControl({
  now = () => performance.now(),
  elapsedBefore = 0,
  onHold = () => undefined,
}: { now?: () => number; elapsedBefore?: number; onHold?: () => void } = {}): RunTransport {
  const abort = new AbortController();
  const { signal } = abort;
  let paused = false;
  let stepsAllowed = 0;
  let waiting: (() => void)[] = [];
  let changes: Intervention['changes'][] = [];
  let active = elapsedBefore;
  let since = now();

  const wake = () => {
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  };
  const setPaused = (value: boolean) => {
    if (value === paused) return;
    if (value) active += now() - since;
    else since = now();
    paused = value;
  };
  return {
    signal,
    paused: () => paused,
    pause: () => setPaused(true),
    resume() {
      stepsAllowed = 0;
      setPaused(false);
      wake();
    },
    allowStep() {
      setPaused(true);
      stepsAllowed++;
      wake();
    },
    change(asked) {
      changes.push(asked);
      wake();
    },
    cancel() {
      abort.abort(new DOMException('Nobody waits for this run any more.', 'AbortError'));
      wake();
    },
    async step(changesLater = false) {
      for (;;) {
        signal.throwIfAborted();
        if (changes.length > 0 && !changesLater) return false;
        if (!paused) return true;
        if (stepsAllowed > 0) {
          stepsAllowed--;
          return true;
        }
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          onHold();
        });
      }
    },
    // An evaluation belongs to the step before it, so it is finished even when the run is paused.
    async work() {
      signal.throwIfAborted();
      await Promise.resolve();
      signal.throwIfAborted();
    },
    changesWaiting: () => changes.length > 0,
    takeChanges() {
      const taken = changes;
      changes = [];
      return taken;
    },
    holds: () => waiting.length > 0,
    elapsedMs: () => active + (paused ? 0 : now() - since),
  };
}
