import { useEffect, useState } from 'react';
import { Modal } from '../controls/modal';
import { useLab } from '../lab-context';
import { onKeys } from '../keys';

const KEYS = [
  ['Space', 'Prune, pause and go on (the recorded run, too)'],
  ['.', 'One optimiser step'],
  ['?', 'This list'],
  ['← → ↑ ↓', 'Move a slider; Page Up and Page Down move it further, Home and End to its ends'],
  ['Tab', 'To the next control'],
  ['Esc', 'Close what is open'],
] as const;

export function KeysDialog() {
  const lab = useLab();
  const [open, setOpen] = useState(false);
  useEffect(() => onKeys(lab, () => setOpen(true)), [lab]);
  return (
    <>
      <button type="button" className="icon" aria-label="Keys" title="Keys (?)" onClick={() => setOpen(true)}>
        ?
      </button>
      <Modal title="Keys" open={open} onClose={() => setOpen(false)}>
        <dl className="keys">
          {KEYS.map(([key, what]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </Modal>
    </>
  );
}
