import { DropdownMenu } from 'radix-ui';
import { nameOf, type PageCommand, perform } from '../commands/command';
import { exportCsv, exportJson, exportModel, share, switchTheme } from '../commands/page-commands';
import { pause, prune, reset, resume, step } from '../commands/run-commands';
import { CommandButton } from '../controls/command-button';
import { describeProgress } from '../core/status-text';
import { useLab, useLabState } from '../lab-context';
import { useTheme } from '../use-theme';
import { useSteadyText } from '../use-steady-text';
import { CorpusDialog } from './corpus-dialog';
import { KeysDialog } from './keys-dialog';

/** The bar at the top: start, pause, step, reset, the status, and the exports. */
export function Transport({ embedded }: { embedded: boolean }) {
  const canPause = useLabState((state) => pause.unavailable(state) === null);
  const canResume = useLabState((state) => resume.unavailable(state) === null);

  return (
    <header className="transport">
      <h1 className="wordmark">
        <span>shear</span>
        <i aria-hidden="true" />
        <span>lab</span>
      </h1>
      <div className="transport-buttons">
        <CommandButton command={canPause ? pause : canResume ? resume : prune} className="primary" />
        <CommandButton command={step} />
        <CommandButton command={reset} />
      </div>
      <ProgressOfRun />
      <div className="transport-tools">
        {!embedded && (
          <>
            <CommandButton command={share} />
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

function ExportMenu() {
  const noModel = useLabState(exportModel.unavailable);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger>Export</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={6}>
          <CommandItem command={exportCsv} />
          <CommandItem command={exportJson} />
          <DropdownMenu.Separator className="menu-line" />
          <CommandItem command={exportModel} />
          {noModel && <p className="menu-note">{noModel}</p>}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function CommandItem({ command }: { command: PageCommand }) {
  const lab = useLab();
  const reason = useLabState(command.unavailable);
  return (
    <DropdownMenu.Item disabled={reason !== null} onSelect={() => void perform(lab, command)}>
      {nameOf(command)}
    </DropdownMenu.Item>
  );
}

function ThemeButton() {
  // Its name follows the theme.
  useTheme();
  return (
    <CommandButton command={switchTheme} className="icon">
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.5" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
    </CommandButton>
  );
}
