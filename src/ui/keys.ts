import type { Lab } from './lab';
import { toggleReplay } from './replay';

/** Where space and letters belong to the control that has the focus. */
const OWN_KEYS =
  'input, textarea, select, button, a, summary, [contenteditable], [role="slider"], [role="menu"], [role="dialog"]';

/** Listens for the lab's keys; returns how to stop. */
export function onKeys(lab: Lab, showList: () => void): () => void {
  const listen = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    const typing = target?.closest(
      'input:not([type="checkbox"], [type="radio"], [type="range"]), textarea, select',
    );
    if (typing) return;
    if (event.key === '?') return showList();
    if (event.key === '.') return lab.step();
    if (event.key !== ' ' || target?.closest(OWN_KEYS)) return;
    event.preventDefault();
    const { status, recorded, shownRun } = lab.store.getState();
    if (status === 'running') lab.pause();
    else if (status === 'paused') lab.resume();
    else if (shownRun === 0 && (recorded.state === 'playing' || recorded.state === 'paused'))
      toggleReplay(lab);
    else lab.prune();
  };
  document.addEventListener('keydown', listen);
  return () => document.removeEventListener('keydown', listen);
}
