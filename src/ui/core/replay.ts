import type { RunEvent } from '../../run/events';

/** How long a recorded run takes to play, whatever it took to compute. */
export const REPLAY_SECONDS = 40;

export function lastStep(events: readonly RunEvent[]): number {
  return events.reduce((last, event) => ('step' in event ? Math.max(last, event.step) : last), 0);
}

/**
 * Index of the first event that is still to come `seconds` after the start, when the whole log plays in
 * `REPLAY_SECONDS`. Events keep their order: one waits for those before it.
 */
export function replayPosition(events: readonly RunEvent[], from: number, seconds: number): number {
  const reached = (lastStep(events) * seconds) / REPLAY_SECONDS;
  let index = from;
  while (index < events.length) {
    const event = events[index]!;
    if ('step' in event && event.step > reached) break;
    index++;
  }
  return index;
}
