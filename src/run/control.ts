/** Thrown out of a run that was reset: nothing went wrong, nobody waits for its result any more. */
export class RunCancelled extends Error {
  override name = 'RunCancelled';
}

/** What a run asks before each piece of work. */
export interface RunTurn {
  /** Resolves when the run may do the next optimiser step. @throws RunCancelled */
  step(): Promise<void>;
  /** Resolves when the run may do other work (a batch of an evaluation). @throws RunCancelled */
  work(): Promise<void>;
  /** Milliseconds since the start in which the run was not paused. */
  elapsedMs(): number;
  paused(): boolean;
}

/** The transport's side of a run: pause, resume, one step, cancel. */
export interface RunControl extends RunTurn {
  pause(): void;
  resume(): void;
  /** Lets one optimiser step through, then is paused again. */
  allowStep(): void;
  cancel(): void;
  /** A paused run waits before its next step: nothing of it is in flight. */
  holds(): boolean;
}

/** @param onHold called each time the run begins to wait for its next step */
export function createRunControl(
  now: () => number = () => performance.now(),
  onHold: () => void = () => undefined,
): RunControl {
  let paused = false;
  let cancelled = false;
  let stepsAllowed = 0;
  let waiting: (() => void)[] = [];
  let active = 0;
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
  const check = () => {
    if (cancelled) throw new RunCancelled('The run was reset.');
  };
  return {
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
    cancel() {
      cancelled = true;
      wake();
    },
    async step() {
      check();
      while (paused && stepsAllowed === 0) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          onHold();
        });
        check();
      }
      if (paused) stepsAllowed--;
    },
    // An evaluation belongs to the step before it, so it is finished even when the run is paused.
    async work() {
      check();
      await Promise.resolve();
      check();
    },
    holds: () => waiting.length > 0,
    elapsedMs: () => active + (paused ? 0 : now() - since),
  };
}
