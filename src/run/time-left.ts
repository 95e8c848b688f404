/** Fewer timed units than this say nothing: the first ones pay for compiling and for cold caches. */
export const FEWEST_TIMED = 5;
/** Only the newest units of a kind count, so that the estimate follows a device that slows down or speeds up. */
const NEWEST = 32;

/** A kind of work: equal units, such as the optimiser steps of a stage, or evaluations. */
export interface WorkKind {
  /** Units still to come. */
  left: number;
  /** The kind whose units stand in for this one's until one of its own was timed. */
  like?: string;
}

export interface TimeLeft {
  /** A unit of `kind` is finished: it took the time since the unit before it, of whatever kind. */
  finished(kind: string): void;
  /** Says again how many units of `kind` are to come, such as after a change of the steps. */
  plan(kind: string, left: number): void;
  /** Null before five units were timed in all, or while a kind to come was never timed. */
  seconds(): number | null;
}

/**
 * Estimates the time that work of several kinds will still take, one unit after another.
 *
 * @param now milliseconds on a clock that stands still while the work is held, such as `RunControl.elapsedMs`
 */
export function createTimeLeft(
  planned: Readonly<Record<string, WorkKind>>,
  now: () => number = () => performance.now(),
): TimeLeft {
  const kinds = new Map(
    Object.entries(planned).map(([name, { left, like }]) => [name, { left, like, times: [] as number[] }]),
  );
  let last = now();
  let timed = 0;

  const kindOf = (name: string) => {
    const kind = kinds.get(name);
    if (!kind) throw new Error(`No work of kind "${name}" was planned.`);
    return kind;
  };
  const millisecondsOf = (name: string): number | null => {
    const { times, like } = kindOf(name);
    if (times.length === 0) return like === undefined ? null : millisecondsOf(like);
    // The first unit pays for compiling, so it counts only while it is the only one.
    const counted = times.length > 1 ? times.slice(times.length > NEWEST ? -NEWEST : 1) : times;
    return counted.reduce((sum, time) => sum + time, 0) / counted.length;
  };

  return {
    finished(name) {
      const kind = kindOf(name);
      const time = now();
      kind.times.push(time - last);
      if (kind.times.length > NEWEST + 1) kind.times.shift();
      kind.left = Math.max(0, kind.left - 1);
      last = time;
      timed++;
    },
    plan(name, left) {
      kindOf(name).left = left;
    },
    seconds() {
      if (timed < FEWEST_TIMED) return null;
      let milliseconds = 0;
      for (const [name, { left }] of kinds) {
        if (left === 0) continue;
        const each = millisecondsOf(name);
        if (each === null) return null;
        milliseconds += left * each;
      }
      return milliseconds / 1000;
    },
  };
}

/**
 * The same for work of which only the share done is known, 0 to 1: call it with each report. Null before five
 * reports of any progress.
 */
export function createShareTimeLeft(now: () => number = () => performance.now()) {
  const started = now();
  let reports = 0;
  return (share: number): number | null => {
    if (share > 0) reports++;
    if (reports < FEWEST_TIMED) return null;
    return ((now() - started) * (1 - share)) / share / 1000;
  };
}
