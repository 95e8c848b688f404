import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { describeProgress } from '../core/status-text';
import { findRun } from '../core/lab-state';
import { exportMetrics } from '../export-metrics';
import { useLab, useLabState } from '../lab-context';
import { setTheme, useView } from '../view-store';
import { useTheme } from '../use-theme';
import { useSteadyText } from '../use-steady-text';
import { CorpusDialog } from './corpus-dialog';
import { KeysDialog } from './keys-dialog';

/** The top of the bench: start, stop, step, how far it is, and what can be taken along. */
export function Transport({ embedded }: { embedded: boolean }) {
  const lab = useLab();
  const status = useLabState((state) => state.status);
  const missing = useLabState((state) => state.engine.state === 'missing');
  const held = useLabState((state) => state.currentRun !== null);
  const active = status === 'running' || status === 'paused';

  return (
    <header className="transport">
      <h1 className="wordmark">
        <span>shear</span>
        <i aria-hidden="true" />
        <span>lab</span>
      </h1>
      <div className="transport-buttons">
        {status === 'running' ? (
          <button type="button" className="primary" onClick={lab.pause}>
            Pause
          </button>
        ) : status === 'paused' ? (
          <button type="button" className="primary" onClick={lab.resume}>
            Resume
          </button>
        ) : (
          <button type="button" className="primary" disabled={missing} onClick={lab.prune}>
            Prune
          </button>
        )}
        <button type="button" disabled={missing} onClick={lab.step}>
          Step
        </button>
        <button type="button" disabled={missing || (!active && !held)} onClick={lab.reset}>
          Reset
        </button>
      </div>
      <ProgressOfRun />
      <div className="transport-tools">
        {!embedded && (
          <>
            <ShareButton />
            <ExportMenu />
            <CorpusDialog />
          </>
        )}
        <KeysDialog />
        <ThemeButton />
      </div>
    </header>
  );
}

/** What goes on: a sentence that is read aloud, and a bar that is not. */
function ProgressOfRun() {
  const { text, phase, share } = describeProgress(useLabState((state) => state));
  const steady = useSteadyText(text, phase);
  return (
    <div className="progress">
      <p role="status" className="status">
        {steady}
      </p>
      <div
        className="progress-bar"
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={100}
        {...(share === null ? {} : { 'aria-valuenow': Math.round(share * 100) })}
      >
        <i style={{ transform: `scaleX(${share ?? 0})` }} />
      </div>
    </div>
  );
}

function ShareButton() {
  const [copied, setCopied] = useState<'' | 'Copied' | 'Copy the address bar'>('');
  return (
    <button
      type="button"
      aria-label="Share"
      onClick={() => {
        navigator.clipboard
          .writeText(location.href)
          .then(() => setCopied('Copied'))
          .catch(() => setCopied('Copy the address bar'));
        setTimeout(() => setCopied(''), 2500);
      }}
    >
      <span aria-live="polite">{copied || 'Share'}</span>
    </button>
  );
}

function ExportMenu() {
  const lab = useLab();
  const run = useLabState((state) => findRun(state, state.shownRun));
  const finished = useLabState((state) => state.status === 'finished' && state.currentRun !== null);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger>Export</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={6}>
          <DropdownMenu.Item disabled={!run} onSelect={() => run && exportMetrics(run, 'csv')}>
            Metrics as CSV
          </DropdownMenu.Item>
          <DropdownMenu.Item disabled={!run} onSelect={() => run && exportMetrics(run, 'json')}>
            Metrics as JSON
          </DropdownMenu.Item>
          <DropdownMenu.Separator className="menu-line" />
          <DropdownMenu.Item disabled={!finished} onSelect={lab.exportModel}>
            Model as a Hugging Face folder (zip)
          </DropdownMenu.Item>
          {!finished && <p className="menu-note">The model can be taken along when a run has finished.</p>}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function ThemeButton() {
  const theme = useTheme();
  const chosen = useView((view) => view.theme);
  const next = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      className="icon"
      aria-label={`Use the ${next} theme`}
      title={`Use the ${next} theme${chosen === 'system' ? ' (now: as the system says)' : ''}`}
      onClick={() => setTheme(next)}
    >
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.5" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
    </button>
  );
}
