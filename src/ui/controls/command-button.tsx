import { type ReactNode, useState } from 'react';
import { nameOf, type PageCommand, perform } from '../commands/command';
import { useLab, useLabState } from '../lab-context';

/** What a command says when it is done stands in its button so long. */
const SAID_MS = 2500;

interface CommandButtonProps {
  command: PageCommand;
  className?: string;
  /** In place of the command's name, which then is the accessible name. */
  children?: ReactNode;
}

/** A command as a button: off while it is not possible, with the reason as its tooltip. */
export function CommandButton({ command, className = '', children }: CommandButtonProps) {
  const lab = useLab();
  const reason = useLabState(command.unavailable);
  const [said, setSaid] = useState('');
  const name = nameOf(command);
  const say = (text: string) => {
    if (text === '') return;
    setSaid(text);
    setTimeout(() => setSaid(''), SAID_MS);
  };
  return (
    <button
      type="button"
      className={className}
      aria-label={name}
      title={reason ?? (children ? name : command.help)}
      disabled={reason !== null}
      onClick={() => void perform(lab, command).then(say)}
    >
      {children ?? <span aria-live="polite">{said || name}</span>}
    </button>
  );
}
