import { describeAdapter } from '../../run/adapter-name';
import { continueRecording, holdRecording, playAgain } from '../commands/run-commands';
import { settingsShown } from '../core/lab-state';
import { RECORDED_RUN } from '../core/run-record';
import { differences } from '../core/live-fields';
import { CommandButton } from '../controls/command-button';
import { useLabState } from '../lab-context';

/** Says plainly that what moves here was computed before. */
export function RecordedBanner() {
  const { state, run } = useLabState((lab) => lab.recorded);
  const shown = useLabState((lab) => lab.shownRun);
  const settings = useLabState(settingsShown);
  const differ = run !== null && Object.keys(differences(run.started.experiment, settings)).length > 0;
  if (!run || state === 'loading' || state === 'unavailable' || shown !== RECORDED_RUN) return null;
  const { adapter, version, source } = run.started;
  return (
    <div className="recorded">
      <span className="tag strong">Recorded run</span>
      <p>
        {source.name} pruned on {describeAdapter(adapter)} with version {version}, played back; nothing is
        computed now.
        {differ && ' The settings beside it are your own: Prune runs them.'}
      </p>
      {state === 'ended' ? (
        <CommandButton command={playAgain} className="quiet" />
      ) : (
        <CommandButton command={state === 'playing' ? holdRecording : continueRecording} className="quiet" />
      )}
    </div>
  );
}
