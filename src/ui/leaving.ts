import type { LabState } from './core/lab-state';
import type { Lab } from './lab';

/** Whether a closed tab would lose work: a run that goes on or that is paused is kept nowhere yet. */
export const wouldLose = ({ status }: Pick<LabState, 'status'>): boolean =>
  status === 'running' || status === 'paused';

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
