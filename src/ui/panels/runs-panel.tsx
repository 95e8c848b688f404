import { defaultExperiment } from '../../experiment/schema';
import { VERSION } from '../../run/version';
import { describeAdapter } from '../../run/adapter-name';
import { seedSpread } from '../core/seed-spread';
import { describeDifferences } from '../core/field-value';
import { formatCount, formatPerplexity } from '../core/format';
import {
  achievedShape,
  describeShape,
  latestLoss,
  meanOf,
  plannedSteps,
  RECORDED_RUN,
  runName,
  type RunRecord,
} from '../core/run-record';
import { Panel } from '../controls/panel';
import { useLab, useLabState } from '../lab-context';
import { useThrottled } from '../use-throttled';

const REDRAW_MS = 500;

/** Every run of this visit, what was set differently, and what came of it. */
export function RunsPanel() {
  const runs = useThrottled(
    useLabState((state) => state.runs),
    REDRAW_MS,
  );
  const recorded = useThrottled(
    useLabState((state) => state.recorded.run),
    REDRAW_MS,
  );
  const adapter = useLabState((state) => state.engine.adapter);
  const spreads = seedSpread(runs);
  const all = recorded ? [...runs].reverse().concat(recorded) : [...runs].reverse();
  return (
    <Panel title="Runs" className="runs">
      {all.length === 0 && <p className="waiting">Runs of this visit gather here, to be compared.</p>}
      <ol>
        {all.map((run) => (
          <RunItem key={run.id} run={run} />
        ))}
      </ol>
      {spreads.map((spread) => (
        <p key={spread.settings} className="hint">
          {spread.runs} seeds of {spread.settings}: perplexity {spread.mean.toFixed(2)} ±{' '}
          {spread.deviation.toFixed(2)}.
        </p>
      ))}
      <p className="hint">
        shear-lab {VERSION}
        {adapter && `, computing on ${describeAdapter(adapter)}`} · <a href="./licences.txt">Licences</a>
      </p>
    </Panel>
  );
}

function RunItem({ run }: { run: RunRecord }) {
  const lab = useLab();
  const shown = useLabState((state) => state.shownRun === run.id);
  const overlaid = useLabState((state) => state.overlaidRun === run.id);
  const current = useLabState((state) => state.currentRun === run.id);
  const name = runName(run.id);
  // The target stands in the line above: it would only be said twice.
  const usual = { ...defaultExperiment(), target: run.started.experiment.target };
  const differences = describeDifferences(usual, run.started.experiment);
  const shape = achievedShape(run) ?? run.started.experiment.target;
  const loss = latestLoss(run);
  const last = run.steps.at(-1)?.step ?? 0;

  return (
    <li data-shown={shown}>
      <div className="run-head">
        <strong>{name}</strong>
        <span className="muted">
          {run.finished
            ? 'finished'
            : run.id === RECORDED_RUN
              ? ''
              : current
                ? `step ${last} of ${plannedSteps(run.started.experiment)}`
                : `stopped at step ${last}`}
        </span>
        <span className="run-actions">
          <button type="button" className="quiet" aria-pressed={shown} onClick={() => lab.showRun(run.id)}>
            Show<span className="visually-hidden"> {name}</span>
          </button>
          <button
            type="button"
            className="quiet"
            aria-pressed={overlaid}
            disabled={shown}
            title="Draw its held-out losses, with rings, over those of the run that is shown"
            onClick={() => lab.overlayRun(overlaid ? null : run.id)}
          >
            Overlay<span className="visually-hidden"> {name}</span>
          </button>
        </span>
      </div>
      <p>
        {describeShape(shape)}
        {run.surgery && ` · ${formatCount(run.surgery.parameters)}`}
        {loss && ` · perplexity ${formatPerplexity(meanOf(loss.loss))}`}
        {run.started.adapter.software && ' · software adapter'}
      </p>
      <p className="muted">{differences.length ? differences.join(', ') : 'Default settings'}</p>
    </li>
  );
}
