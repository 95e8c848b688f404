/**
 * Seconds after which a request that the driver has not answered counts as failed. Generous: a shader can take a
 * software adapter half a minute to compile, with a whole program's shaders waiting for each other; a read waits
 * for all work that was submitted before it, which can be several steps of minutes.
 */
export const DEADLINE_SECONDS = { adapter: 60, device: 60, pipeline: 600, read: 600 };

/** The deadline runs in parts, so that a machine that sleeps loses one of them and not the whole of it. */
const PARTS = 20;

/** The same promise, but rejected with `failure()` when it has not settled within `seconds`. */
export function withinDeadline<T>(promise: Promise<T>, seconds: number, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (left: number) => {
      if (left === 0) reject(failure());
      else timer = setTimeout(() => wait(left - 1), (seconds * 1000) / PARTS);
    };
    wait(PARTS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
