import type { Lab } from '../lab';
import { type PageCommand, perform } from './command';
import { listKeys } from './page-commands';
import { continueRecording, holdRecording, pause, prune, resume, step } from './run-commands';

/** Every command that has a key. Of those with one key the first that is possible is done. */
export const KEYED_COMMANDS: readonly PageCommand[] = [
  pause,
  resume,
  holdRecording,
  continueRecording,
  prune,
  step,
  listKeys,
];

/** Here every character is typed. */
const TEXT = 'input:not([type="checkbox"], [type="radio"], [type="range"]), textarea, select';
/** Here space belongs to the control that has the focus. */
const PRESSABLE =
  'input, button, a, summary, [contenteditable], [role="slider"], [role="menu"], [role="dialog"]';

/** The command that `key` stands for now: the first possible one, else the last, which says why it is not. */
export function commandOfKey(lab: Lab, key: string): PageCommand | null {
  const state = lab.store.getState();
  const commands = KEYED_COMMANDS.filter((command) => command.key === key);
  return commands.find((command) => command.unavailable(state) === null) ?? commands.at(-1) ?? null;
}

/** Listens for the lab's keys; returns how to stop. */
export function listenForKeys(lab: Lab): () => void {
  const listen = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest(TEXT) || (event.key === ' ' && target?.closest(PRESSABLE))) return;
    const command = commandOfKey(lab, event.key);
    if (!command) return;
    event.preventDefault();
    void perform(lab, command);
  };
  document.addEventListener('keydown', listen);
  return () => document.removeEventListener('keydown', listen);
}
