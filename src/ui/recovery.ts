import { wasInterrupted } from './core/kept-runs';
import { findKept, findRun, isGoing, type LabState } from './core/lab-state';
import { stepOf } from './core/run-record';
import type { Lab } from './lab';
import { askForPersistence } from '../storage/persistence';

/** A run that is lost so often without a step in between is only offered: something is wrong with it. */
const MOST_IN_A_ROW = 2;
/** The tab of before may hold its run a moment longer: then the list is asked for again. */
const LOOK_AGAIN_MS = [1500, 5000];

/** What the page does by itself about runs that were broken off; `persist` asks the browser to keep its storage. */
export function watchRuns(lab: Lab, persist: () => Promise<unknown> = askForPersistence): void {
  goOnAfterFailures(lab);
  offerInterrupted(lab);
  askToKeep(lab, persist);
}

/** A run whose device was lost, or whose worker died, goes on from its last checkpoint in a fresh worker. */
function goOnAfterFailures(lab: Lab): void {
  let last = { run: '', step: -1, times: 0 };
  lab.store.subscribe((state, before) => {
    if (state.engine.state !== 'lost' || before.engine.state === 'lost' || !isGoing(before)) return;
    const id = before.currentRun!;
    const kept = findKept(before, id);
    const run = findRun(before, id);
    if (!kept || !run || before.kept?.notice !== null) return;
    const step = stepOf(run);
    const again = last.run === id && step <= last.step;
    last = { run: id, step: Math.max(step, again ? last.step : -1), times: again ? last.times + 1 : 1 };
    const reason = state.notices.findLast(({ offer }) => offer === 'reopen');
    if (reason) lab.dismiss(reason.id);
    const why = reason?.text ?? 'The engine stopped.';
    if (last.times > MOST_IN_A_ROW) {
      lab.notify({
        kind: 'error',
        text: `${why} ${kept.name} was lost ${last.times} times without a step in between.`,
        offer: 'continue',
        run: id,
      });
      return;
    }
    const from = kept.step > 0 ? `its last checkpoint, at step ${kept.step}` : 'its beginning';
    lab.continueRun(id);
    if (before.status === 'paused') lab.pause();
    lab.notify({ kind: 'warning', text: `${why} ${kept.name} goes on by itself from ${from}.` });
  });
}

/** Runs that a closed tab or a crash broke off are offered, once. */
function offerInterrupted(lab: Lab): void {
  const seen = new Set<string>();
  let looks = 0;
  lab.store.subscribe((state, { kept: before }) => {
    const { kept } = state;
    if (!kept || kept === before) return;
    const mine = (id: string) => id === state.currentRun && state.status !== 'ready';
    if (isHeldElsewhere(state) && looks < LOOK_AGAIN_MS.length) {
      setTimeout(lab.listRuns, LOOK_AGAIN_MS[looks++]);
    }
    const found = kept.runs.filter((run) => wasInterrupted(run) && !seen.has(run.id) && !mine(run.id));
    for (const { id } of found) seen.add(id);
    const [newest] = found;
    if (!newest || isGoing(state)) return;
    const more = found.length - 1;
    const others = more ? ` So ${more === 1 ? 'was another' : `were ${more} others`}, under “Runs”.` : '';
    lab.notify({
      kind: 'information',
      text: `${newest.name} was interrupted at step ${newest.step} of ${newest.totalSteps}.${others}`,
      offer: 'continue',
      run: newest.id,
    });
  });
}

const isHeldElsewhere = ({ kept, currentRun }: LabState): boolean =>
  kept?.runs.some(({ id, inUse }) => inUse && id !== currentRun) ?? false;

/** Once a run goes on there is something to lose. */
function askToKeep(lab: Lab, persist: () => Promise<unknown>): void {
  let asked = false;
  lab.store.subscribe((state) => {
    if (asked || !isGoing(state) || state.kept?.notice !== null) return;
    asked = true;
    // Refused, everything is as before: the browser may clear the storage when the disk runs short.
    persist().catch(() => undefined);
  });
}
