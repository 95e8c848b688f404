import { decodePermalink, encodePermalink } from '../experiment/permalink';
import type { Plan } from '../experiment/interventions';
import { followedRun, planShown } from './core/lab-state';
import type { Lab } from './lab';

/** Keys of the address that belong to the page, not to the experiment. */
const PAGE_KEYS = ['embed'];
/** Browsers refuse more than about a hundred changes of the address in half a minute. */
const WRITE_AFTER_MS = 350;

export const readAddress = (search: string) => decodePermalink(search, PAGE_KEYS);

export const isEmbedded = (search: string): boolean => new URLSearchParams(search).get('embed') === '1';

/** The address of this page with a plan. */
export function linkTo(plan: Plan): string {
  const search = encodePermalink(plan);
  return `${location.origin}${location.pathname}${search ? `?${search}` : ''}`;
}

/** Keeps the address bar equal to what the form stands for; returns how to bring it up to date at once. */
export function writeAddress(lab: Lab, embedded: boolean): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    const query = [embedded ? 'embed=1' : '', encodePermalink(planShown(lab.store.getState()))];
    const search = query.filter(Boolean).join('&');
    history.replaceState(null, '', `${location.pathname}${search ? `?${search}` : ''}${location.hash}`);
  };
  // The state changes with every step of a run: only a change of the settings may restart the wait.
  let written: unknown[] = [];
  lab.store.subscribe((state) => {
    const { experiment, interventions } = state;
    const run = followedRun(state);
    const said = run ? [run.id, run.settings] : [experiment, interventions];
    if (said.every((part, i) => part === written[i])) return;
    written = said;
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER_MS);
  });
  return write;
}
