import { FileButton } from '../controls/file-button';
import { encodePermalink, MAX_LENGTH } from '../../experiment/permalink';
import { MOST_PINS } from '../../fields/field';
import { pinsOfMask } from '../../pruning/pins';
import { WorkProgress } from '../controls/work-progress';
import type { Outcome } from '../core/importance';
import { findJob, isGoing, planShown, settingsShown, type UnitScores } from '../core/lab-state';
import { fixedBecause } from '../core/live-fields';
import { isModel, type ShownModel } from '../core/score-origin';
import { useLab, useLabState } from '../lab-context';
import { FieldSelect } from '../panels/field-select';
import { exportScores } from '../score-files';

interface ScoreBarProps {
  model: ShownModel;
  found: UnitScores | null;
  outcome: Outcome;
}

/** By what units are scored, and what can be done with the scores. */
export function ScoreBar({ model, found, outcome }: ScoreBarProps) {
  const lab = useLab();
  const job = useLabState((state) => findJob(state, 'scoreUnits'));
  const open = useLabState(({ source }) => source !== null && isModel(source, model));
  const ready = useLabState((state) => state.engine.state === 'open' && (open || !isGoing(state)));
  return (
    <div className="score-bar" role="group" aria-label="Scores">
      <FieldSelect name="scores.layers" />
      <FieldSelect name="scores.widths" />
      <div className="score-actions">
        <button
          type="button"
          className={found ? undefined : 'primary'}
          disabled={!ready || job !== null}
          onClick={lab.scoreUnits}
        >
          Score units
        </button>
        <button
          type="button"
          className="quiet"
          disabled={!found}
          title="Every unit’s score, a line each, as CSV"
          onClick={() => found && exportScores(found, model.config)}
        >
          Export scores
        </button>
        <FileButton
          title="A CSV with the columns set, row, unit and score, from here or from elsewhere"
          accept=".csv,text/csv"
          fileLabel="File of scores"
          disabled={!open}
          onFile={(file) => void lab.loadScores(file)}
        >
          Load scores
        </FileButton>
        <UseAsPins model={model} outcome={outcome} />
      </div>
      {job && (
        <WorkProgress
          label="Progress of the scores"
          share={job.progress?.share ?? 0}
          secondsLeft={job.progress?.secondsLeft ?? null}
          onCancel={() => lab.cancel('scoreUnits')}
        >
          {job.progress?.what ?? 'Reading calibration text'}
        </WorkProgress>
      )}
    </div>
  );
}

/** What goes at the target becomes pins: the experiment, its link and a run of any method then have it. */
function UseAsPins({ model: { config }, outcome }: Pick<ScoreBarProps, 'model' | 'outcome'>) {
  const lab = useLab();
  const fixed = useLabState((state) => fixedBecause(state, 'pins'));
  const use = () => {
    if (!outcome) return;
    const state = lab.store.getState();
    const pins = pinsOfMask(config, outcome, settingsShown(state).gates);
    const tell = (text: string) => lab.notify({ kind: 'information', text });
    const count = pins.length.toLocaleString('en');
    if (pins.length > MOST_PINS) {
      return tell(`These scores take ${count} pins, more than the ${MOST_PINS} that an experiment can have.`);
    }
    lab.setField('pins', pins);
    const link = encodePermalink(planShown(lab.store.getState())).length;
    tell(
      link > MAX_LENGTH
        ? `${count} units are pinned. A link with all of them is too long to be read: keep the run, or export it.`
        : `${count} units are pinned: what these scores leave at this target, whatever the method.`,
    );
  };
  return (
    <button
      type="button"
      className="quiet"
      disabled={!outcome || fixed !== null}
      title={fixed ?? 'Closes and keeps by hand what these scores do at the target that is set'}
      onClick={use}
    >
      Use as pins
    </button>
  );
}
