import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { defaultExperiment } from '../../experiment/schema';
import { describeDifferences } from '../core/field-value';
import { formatBytes, formatPerplexity } from '../core/format';
import type { KeptRun } from '../core/kept-runs';
import { findRun, isGoing } from '../core/lab-state';
import { describeShape } from '../core/run-record';
import { canContinue, describeStatus } from '../core/run-status';
import { useLab, useLabState } from '../lab-context';
import { ShowButtons } from './show-buttons';

/** One kept run: what it is called, what was set, how far it is, and what can be done with it. */
export function KeptRunItem({ run }: { run: KeptRun }) {
  const lab = useLab();
  const shown = useLabState((state) => state.shownRun === run.id);
  const status = useLabState((state) => describeStatus(run, findRun(state, run.id), state));
  const busy = useLabState(isGoing);
  const [open, setOpen] = useState<'renaming' | 'noting' | 'deleting' | null>(null);
  const { plan, settings } = run;
  // The target stands in the line above: it would only be said twice.
  const differences = settings
    ? describeDifferences({ ...defaultExperiment(), target: settings.target }, settings)
    : [];
  const changes = plan?.interventions.length ?? 0;

  return (
    <li data-shown={shown}>
      <div className="run-head">
        <i className="run-colour" style={run.colour ? { background: run.colour } : {}} aria-hidden="true" />
        {open === 'renaming' ? (
          <TextEditor
            label={`Name of ${run.name}`}
            value={run.name}
            onDone={(name) => {
              setOpen(null);
              if (name.trim()) lab.updateRun(run.id, { name: name.trim().slice(0, 200) });
            }}
          />
        ) : (
          <strong>{run.name}</strong>
        )}
        <span className="muted">{status}</span>
        <span className="run-actions">
          {canContinue(run) && !busy && (
            <button type="button" className="quiet strong" onClick={() => lab.continueRun(run.id)}>
              Go on<span className="visually-hidden"> with {run.name}</span>
            </button>
          )}
          <ShowButtons id={run.id} name={run.name} />
          <DropdownMenu.Root modal={false}>
            <DropdownMenu.Trigger className="quiet" aria-label={`More of ${run.name}`}>
              ⋯
            </DropdownMenu.Trigger>
            <DropdownMenu.Portal>
              <DropdownMenu.Content
                className="menu"
                align="end"
                sideOffset={4}
                // What an item opened takes the focus, not the button of the menu.
                onCloseAutoFocus={(event) => open !== null && event.preventDefault()}
              >
                <Item disabled={!plan} onSelect={() => plan && lab.setPlan(plan)}>
                  Use these settings
                </Item>
                <Item onSelect={() => setOpen('renaming')}>Rename</Item>
                <Item onSelect={() => setOpen('noting')}>Note and colour</Item>
                <Item onSelect={() => lab.exportRun(run.id)}>Export</Item>
                <DropdownMenu.Separator className="menu-line" />
                <Item disabled={run.inUse} onSelect={() => setOpen('deleting')}>
                  Delete
                </Item>
              </DropdownMenu.Content>
            </DropdownMenu.Portal>
          </DropdownMenu.Root>
        </span>
      </div>
      <p>
        {settings && describeShape(settings.target)}
        {run.meanLoss !== null && ` · perplexity ${formatPerplexity(run.meanLoss)}`}
      </p>
      <p className="muted">
        {plan ? differences.join(', ') || 'Default settings' : 'Its settings are of another version'}
        {changes > 0 && `, ${changes} ${changes === 1 ? 'change' : 'changes'} on the way`}
      </p>
      <p className="muted">
        {new Date(run.createdAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })} ·{' '}
        {run.adapter} · seed {run.seed} · {formatBytes(run.bytes)}
      </p>
      {run.note && open !== 'noting' && <p className="run-note">{run.note}</p>}
      {open === 'noting' && <NoteEditor run={run} onDone={() => setOpen(null)} />}
      {open === 'deleting' && (
        <p className="run-confirm" role="group" aria-label={`Delete ${run.name}?`}>
          Delete it with its log and models?
          <button type="button" autoFocus onClick={() => lab.removeRun(run.id)}>
            Delete<span className="visually-hidden"> {run.name}</span>
          </button>
          <button type="button" className="quiet" onClick={() => setOpen(null)}>
            Keep it
          </button>
        </p>
      )}
    </li>
  );
}

function Item({ onSelect, disabled, children }: { onSelect(): void; disabled?: boolean; children: string }) {
  return (
    <DropdownMenu.Item disabled={disabled ?? false} onSelect={onSelect}>
      {children}
    </DropdownMenu.Item>
  );
}

interface TextEditorProps {
  label: string;
  value: string;
  onDone(text: string): void;
}

/** A line that is taken with Enter or when it is left, and given up with Escape. */
function TextEditor({ label, value, onDone }: TextEditorProps) {
  return (
    <input
      type="text"
      aria-label={label}
      defaultValue={value}
      maxLength={200}
      autoFocus
      onFocus={(event) => event.target.select()}
      onBlur={(event) => onDone(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onDone(event.currentTarget.value);
        if (event.key === 'Escape') onDone(value);
      }}
    />
  );
}

function NoteEditor({ run, onDone }: { run: KeptRun; onDone(): void }) {
  const lab = useLab();
  const [note, setNote] = useState(run.note);
  const [colour, setColour] = useState(run.colour);
  return (
    <form
      className="run-note"
      onSubmit={(event) => {
        event.preventDefault();
        lab.updateRun(run.id, { note, colour });
        onDone();
      }}
    >
      <textarea
        aria-label={`Note on ${run.name}`}
        rows={2}
        maxLength={10_000}
        value={note}
        autoFocus
        onChange={({ target }) => setNote(target.value)}
      />
      <label>
        Colour{' '}
        <input type="color" value={colour ?? '#808080'} onChange={({ target }) => setColour(target.value)} />
      </label>
      <button type="submit">Save</button>
      <button type="button" className="quiet" onClick={onDone}>
        Cancel
      </button>
    </form>
  );
}
