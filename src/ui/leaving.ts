import { findKept, findRun, type LabState } from './core/lab-state';
import { stepOf } from './core/run-record';
import type { Lab } from './lab';

/**
 * Whether a closed tab would lose work: a run goes on, and this browser keeps none, or its checkpoints have stopped
 * (the storage is full, say): more steps than two intervals would have to be done again. A run that is kept is taken
 * up from its last checkpoint, and nobody is asked.
 */
export function wouldLose(
  state: Pick<LabState, 'status' | 'currentRun' | 'kept' | 'records' | 'recorded'>,
): boolean {
  const { status, currentRun, kept } = state;
  if (status !== 'running' && status !== 'paused') return false;
  const run = findRun(state, currentRun);
  if (!run) return false;
  const noted = findKept(state, currentRun);
  if (!kept || !noted) return kept !== null;
  if (kept.notice !== null) return true;
  return stepOf(run) - noted.step > 2 * run.settings.checkpoint.interval;
}

/**
 * The browser asks before the page is left, only while something would be lost: a page that always listens for
 * this cannot be kept in the browser's back and forward cache.
 */
export function guardLeaving(lab: Lab): void {
  const ask = (event: BeforeUnloadEvent) => event.preventDefault();
  let asking = false;
  lab.store.subscribe((state) => {
    const loses = wouldLose(state);
    if (loses === asking) return;
    asking = loses;
    if (loses) window.addEventListener('beforeunload', ask);
    else window.removeEventListener('beforeunload', ask);
  });
}
