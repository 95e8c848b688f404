import { useEffect } from 'react';
import { nameOf } from '../commands/command';
import { KEYED_COMMANDS, listenForKeys } from '../commands/keys';
import { listKeys } from '../commands/page-commands';
import { CommandButton } from '../controls/command-button';
import { Modal } from '../controls/modal';
import { useLab, useLabState } from '../lab-context';
import { setView, useView } from '../view-store';

/** What the browser and the controls do by themselves. */
const OTHER_KEYS = [
  ['← → ↑ ↓', 'Move a slider; Page Up and Page Down move it further, Home and End to its ends'],
  ['Tab', 'To the next control'],
  ['Esc', 'Close what is open'],
] as const;

const titleOf = (key: string) => (key === ' ' ? 'Space' : key);

export function KeysDialog() {
  const lab = useLab();
  const open = useView((view) => view.dialog === 'keys');
  useEffect(() => listenForKeys(lab), [lab]);
  return (
    <>
      <CommandButton command={listKeys} className="icon">
        ?
      </CommandButton>
      <Modal title="Keys" open={open} onClose={() => setView({ dialog: null })}>
        <KeyList />
      </Modal>
    </>
  );
}

/** Every key with what it does; where that depends, what it would not do now is muted. */
function KeyList() {
  const state = useLabState((lab) => lab);
  const keys = [...new Set(KEYED_COMMANDS.map((command) => command.key ?? ''))];
  return (
    <dl className="keys">
      {keys.map((key) => {
        const commands = KEYED_COMMANDS.filter((command) => command.key === key);
        const current = commands.find((command) => command.unavailable(state) === null);
        return (
          <div key={key}>
            <dt>
              <kbd>{titleOf(key)}</kbd>
            </dt>
            {commands.map((command) => (
              <dd key={nameOf(command)} className={command === current ? '' : 'muted'}>
                {command.help}
              </dd>
            ))}
          </div>
        );
      })}
      {OTHER_KEYS.map(([key, what]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  );
}
