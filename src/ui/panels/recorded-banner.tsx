import { describeAdapter } from '../../run/adapter-name';
import { useLab, useLabState } from '../lab-context';
import { playReplay, toggleReplay } from '../replay';

/** Says plainly that what moves here was computed before. */
export function RecordedBanner() {
  const lab = useLab();
  const { state, run } = useLabState((lab) => lab.recorded);
  const shown = useLabState((lab) => lab.shownRun);
  if (!run || state === 'loading' || state === 'unavailable' || shown !== 0) return null;
  const { adapter, version, source } = run.started;
  return (
    <div className="recorded">
      <span className="tag strong">Recorded run</span>
      <p>
        {source.name} pruned on {describeAdapter(adapter)} with version {version}, played back; nothing is
        computed now.
      </p>
      {state === 'ended' ? (
        <button type="button" className="quiet" onClick={() => playReplay(lab)}>
          Play again
        </button>
      ) : (
        <button type="button" className="quiet" onClick={() => toggleReplay(lab)}>
          {state === 'playing' ? 'Hold' : 'Go on'}
        </button>
      )}
    </div>
  );
}
