import { useState } from 'react';
import { actsOnRun } from '../core/live-fields';
import { findKept, followedRun, isGoing, type LabState, runName } from '../core/lab-state';
import { describePlanned } from '../core/intervention-text';
import { wasInterrupted } from '../core/kept-runs';
import { useLab, useLabState } from '../lab-context';

/** How many steps are trained on for, unless another number is typed. */
const MORE_STEPS = 300;

/** Which run the settings under it belong to, or that they are for another one, and what can be done with them. */
export function DraftBar() {
  const lab = useLab();
  const what = useLabState(whatIsShown);
  const name = useLabState((state) => (state.shownRun === null ? '' : runName(state, state.shownRun)));
  if (what === 'nothing') return <Planned />;
  return (
    <div className="draft-bar" data-kind={what} role="group" aria-label="Settings shown">
      {what === 'draft' || what === 'draft beside a run' ? (
        <>
          <p>Settings for another run, not those of {name}.</p>
          <button
            type="button"
            className="primary"
            title={what === 'draft' ? undefined : `Stops ${name}, which stays kept`}
            onClick={lab.prune}
          >
            Run this
          </button>
          <button type="button" className="quiet" onClick={() => lab.setDrafting(false)}>
            Back to the run’s settings
          </button>
        </>
      ) : what === 'going' ? (
        <>
          <p>{name} goes on: what can still change acts from its next step on.</p>
          <button type="button" className="quiet" onClick={() => lab.setDrafting(true)}>
            Prepare another run
          </button>
        </>
      ) : (
        <>
          <p>The settings of {name}. Change any for another run.</p>
          <Further what={what} />
        </>
      )}
      <Planned />
    </div>
  );
}

type Shown = 'nothing' | 'draft' | 'draft beside a run' | 'going' | 'finished' | 'over';

function whatIsShown(state: LabState): Shown {
  if (state.drafting) return isGoing(state) ? 'draft beside a run' : 'draft';
  if (actsOnRun(state)) return 'going';
  const run = followedRun(state);
  if (!run) return 'nothing';
  return run.finished ? 'finished' : 'over';
}

/** Going on with a run that is over: with more steps where it has finished. */
function Further({ what }: { what: Shown }) {
  const lab = useLab();
  const run = useLabState(followedRun);
  const kept = useLabState((state) => findKept(state, state.shownRun));
  const going = useLabState(isGoing);
  const [more, setMore] = useState(MORE_STEPS);
  if (!run || !kept || kept.inUse || going) return null;
  if (what === 'over') {
    return (
      <button type="button" onClick={() => lab.continueRun(run.id)}>
        {wasInterrupted(kept) ? 'Go on' : 'Go on from its last checkpoint'}
      </button>
    );
  }
  if (run.settings.retraining !== 'continued') return null;
  return (
    <span className="train-on">
      <button
        type="button"
        onClick={() => lab.continueRun(run.id, { 'retrain.steps': run.settings.retrain.steps + more })}
      >
        Train on for {more} more
      </button>
      <input
        type="number"
        aria-label="Steps to train on for"
        min={1}
        max={100_000}
        value={more}
        onChange={({ target }) => {
          const steps = Math.round(target.valueAsNumber);
          if (steps >= 1 && steps <= 100_000) setMore(steps);
        }}
      />
    </span>
  );
}

/** Changes on the way that a link or a kept run brought along: a run that is started makes them, too. */
function Planned() {
  const lab = useLab();
  const follows = useLabState((state) => followedRun(state) !== null);
  const experiment = useLabState((state) => state.experiment);
  const interventions = useLabState((state) => state.interventions);
  if (follows || interventions.length === 0) return null;
  return (
    <div className="planned">
      <p>Changed on the way:</p>
      <ul>
        {describePlanned(experiment, interventions).map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <button type="button" className="quiet" onClick={() => lab.store.setState({ interventions: [] })}>
        Leave these out
      </button>
    </div>
  );
}
