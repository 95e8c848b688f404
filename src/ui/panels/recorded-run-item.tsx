import { formatCount, formatPerplexity } from '../core/format';
import {
  achievedShape,
  describeShape,
  latestLoss,
  meanOf,
  RECORDED_RUN,
  type RunRecord,
} from '../core/run-record';
import { ShowButtons } from './show-buttons';

/** The run that comes with the page. */
export function RecordedRunItem({ run }: { run: RunRecord }) {
  const shape = achievedShape(run) ?? run.started.experiment.target;
  const loss = latestLoss(run);
  return (
    <li>
      <div className="run-head">
        <strong>Recorded run</strong>
        <span className="run-actions">
          <ShowButtons id={RECORDED_RUN} name="Recorded run" />
        </span>
      </div>
      <p>
        {describeShape(shape)}
        {run.surgery && ` · ${formatCount(run.surgery.parameters)}`}
        {loss && ` · perplexity ${formatPerplexity(meanOf(loss.loss))}`}
        {run.started.adapter.software && ' · software adapter'}
      </p>
    </li>
  );
}
