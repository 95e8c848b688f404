import type { StoreApi } from 'zustand/vanilla';
import type { Intervention } from '../experiment/interventions';
import { getField, sameValue } from './core/field-value';
import { findRun, isGoing, type LabState } from './core/lab-state';

/** A slider that is dragged changes with every pixel: the run hears of it when the hand has been still so long. */
const STILL_MS = 200;

/**
 * Sends changes of the run that goes on. Until they stand in its log the form shows them as pending.
 */
export function createChangeSender(
  store: StoreApi<LabState>,
  send: (changes: Intervention['changes']) => void,
) {
  let waiting: Intervention['changes'] = {};
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    const changes = waiting;
    waiting = {};
    const state = store.getState();
    const run = findRun(state, state.currentRun);
    if (!run || !isGoing(state)) return;
    // Moved there and back again: what the run has already needs no change, and would never be told as one.
    const same = Object.keys(changes).filter((key) => sameValue(getField(run.settings, key), changes[key]!));
    const stays = Object.entries(state.pending).filter(([key]) => !same.includes(key));
    if (same.length) store.setState({ pending: Object.fromEntries(stays) });
    const all = Object.fromEntries(Object.entries(changes).filter(([key]) => !same.includes(key)));
    if (Object.keys(all).length > 0) send(all);
  };

  return {
    change(changes: Intervention['changes']) {
      waiting = { ...waiting, ...changes };
      store.setState({ pending: { ...store.getState().pending, ...changes } });
      clearTimeout(timer);
      timer = setTimeout(flush, STILL_MS);
    },
    forget() {
      clearTimeout(timer);
      waiting = {};
      store.setState({ pending: {} });
    },
  };
}
