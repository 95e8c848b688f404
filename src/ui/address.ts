import { decodePermalink, encodePermalink } from '../experiment/permalink';
import type { Lab } from './lab';

/** Keys of the address that belong to the page, not to the experiment. */
const PAGE_KEYS = ['embed'];
/** Browsers refuse more than about a hundred changes of the address in half a minute. */
const WRITE_AFTER_MS = 350;

export const readAddress = (search: string) => decodePermalink(search, PAGE_KEYS);

export const isEmbedded = (search: string): boolean => new URLSearchParams(search).get('embed') === '1';

/** Keeps the address bar equal to the experiment; returns how to stop. */
export function writeAddress(lab: Lab, embedded: boolean): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let written = lab.store.getState().experiment;
  const write = () => {
    written = lab.store.getState().experiment;
    const query = [embedded ? 'embed=1' : '', encodePermalink(written)].filter(Boolean).join('&');
    history.replaceState(null, '', `${location.pathname}${query ? `?${query}` : ''}${location.hash}`);
  };
  const stop = lab.store.subscribe((state) => {
    if (state.experiment === written) return;
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER_MS);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
