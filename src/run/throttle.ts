/**
 * Lets a report through at most every `milliseconds`: call it before each, and report when it is true. The first
 * call is true.
 */
export function createThrottle(
  milliseconds: number,
  now: () => number = () => performance.now(),
): () => boolean {
  let last = -Infinity;
  return () => {
    const time = now();
    if (time - last < milliseconds) return false;
    last = time;
    return true;
  };
}
