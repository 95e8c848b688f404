import { decodePermalink, encodePermalink } from '../experiment/permalink';
import type { Lab } from './lab';

/** Keys of the address that belong to the page, not to the experiment. */
const PAGE_KEYS = ['embed'];
/** Browsers refuse more than about a hundred changes of the address in half a minute. */
const WRITE_AFTER_MS = 350;

export const readAddress = (search: string) => decodePermalink(search, PAGE_KEYS);

export const isEmbedded = (search: string): boolean => new URLSearchParams(search).get('embed') === '1';

/** Keeps the address bar equal to the experiment; returns how to bring it up to date at once. */
export function writeAddress(lab: Lab, embedded: boolean): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    const query = [
      embedded ? 'embed=1' : '',
      encodePermalink({ experiment: lab.store.getState().experiment, interventions: [] }),
    ];
    const search = query.filter(Boolean).join('&');
    history.replaceState(null, '', `${location.pathname}${search ? `?${search}` : ''}${location.hash}`);
  };
  // The state changes with every step of a run: only a change of the experiment may restart the wait.
  lab.store.subscribe(({ experiment }, before) => {
    if (experiment === before.experiment) return;
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER_MS);
  });
  return write;
}
