import { parseRunLog } from '../run/run-log';
import type { RunEvent } from '../run/events';
import { appendEvents, beginRun, RECORDED_RUN } from './core/run-record';
import { replayPosition } from './core/replay';
import type { Lab } from './lab';
import { loadRecordedRun } from './site-files';

interface Playback {
  events: readonly RunEvent[];
  next: number;
  /** Seconds played before `since`. */
  played: number;
  since: number;
  frame: number;
}

const playbacks = new WeakMap<Lab, Playback>();

/** Loads the run that comes with the page and plays it, unless something else is shown by then. */
export async function openRecorded(lab: Lab): Promise<void> {
  try {
    const { events } = parseRunLog(await loadRecordedRun());
    if (events[0]?.type !== 'started')
      throw new Error('The recorded run does not say what it is: it is left out.');
    playbacks.set(lab, { events, next: 0, played: 0, since: 0, frame: 0 });
    const run = beginRun(RECORDED_RUN, events[0]);
    lab.store.setState({ recorded: { state: 'ended', run: appendEvents(run, events) } });
    const { shownRun, currentRun } = lab.store.getState();
    if (shownRun === null && currentRun === null) playReplay(lab);
  } catch (error) {
    lab.store.setState({ recorded: { state: 'unavailable', run: null } });
    lab.notify({ kind: 'information', text: error instanceof Error ? error.message : String(error) });
  }
}

/** Every event of the recorded run, to be exported. */
export const recordedEvents = (lab: Lab): readonly RunEvent[] => playbacks.get(lab)?.events ?? [];

/** Plays the recorded run from its start; with reduced motion it shows its end at once. */
export function playReplay(lab: Lab): void {
  const playback = playbacks.get(lab);
  const first = playback?.events[0];
  if (!playback || first?.type !== 'started') return;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const run = beginRun(RECORDED_RUN, first);
  playback.played = 0;
  playback.next = 1;
  lab.store.setState({
    shownRun: RECORDED_RUN,
    overlaidRun: null,
    drafting: false,
    recorded: still ? { state: 'ended', run: appendEvents(run, playback.events) } : { state: 'playing', run },
  });
  if (!still) start(lab, playback);
}

export function toggleReplay(lab: Lab): void {
  const playback = playbacks.get(lab);
  const { recorded } = lab.store.getState();
  if (!playback) return;
  if (recorded.state === 'playing') {
    playback.played += (performance.now() - playback.since) / 1000;
    lab.store.setState({ recorded: { ...recorded, state: 'paused' } });
  } else if (recorded.state === 'paused') {
    lab.store.setState({ recorded: { ...recorded, state: 'playing' } });
    start(lab, playback);
  }
}

function start(lab: Lab, playback: Playback): void {
  cancelAnimationFrame(playback.frame);
  playback.since = performance.now();
  const advance = () => {
    const { recorded } = lab.store.getState();
    const { run } = recorded;
    if (!run) return;
    if (recorded.state !== 'playing') {
      // Something else is shown now; the recorded run stands complete for comparison.
      if (recorded.state === 'ended' && playback.next < playback.events.length) finish(lab, playback);
      return;
    }
    const seconds = playback.played + (performance.now() - playback.since) / 1000;
    const next = replayPosition(playback.events, playback.next, seconds);
    if (next > playback.next) {
      const batch = playback.events.slice(playback.next, next);
      playback.next = next;
      const state = next >= playback.events.length ? 'ended' : 'playing';
      lab.store.setState({ recorded: { state, run: appendEvents(run, batch) } });
      if (state === 'ended') return;
    }
    playback.frame = requestAnimationFrame(advance);
  };
  playback.frame = requestAnimationFrame(advance);
}

function finish(lab: Lab, playback: Playback): void {
  const run = lab.store.getState().recorded.run;
  if (!run) return;
  const rest = playback.events.slice(playback.next);
  playback.next = playback.events.length;
  lab.store.setState({ recorded: { state: 'ended', run: appendEvents(run, rest) } });
}
