import type { LabState } from '../core/lab-state';
import type { Lab } from '../lab';

/** Something that a person can do. Buttons, keys, menus and the list of keys are made from it. */
export interface PageCommand {
  /** What its button says. */
  name: string | (() => string);
  /** As `KeyboardEvent.key`. Of several commands with one key the first that is possible is done. */
  key?: string;
  /** What it does, for the list of keys and for its button's tooltip. */
  help: string;
  /** Why it cannot be done now, in one sentence; null when it can. */
  unavailable(state: LabState): string | null;
  /** A text that it resolves with stands in its button for a moment. */
  perform(lab: Lab): void | Promise<string>;
}

export const nameOf = ({ name }: PageCommand): string => (typeof name === 'string' ? name : name());

/** Does what it says, or says why it cannot. Resolves with what its button says for a moment, if anything. */
export async function perform(lab: Lab, command: PageCommand): Promise<string> {
  const reason = command.unavailable(lab.store.getState());
  if (reason === null) return (await command.perform(lab)) ?? '';
  lab.notify({ kind: 'information', text: reason });
  return '';
}
