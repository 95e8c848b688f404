import type { Experiment } from '../../experiment/schema';
import type { LlamaConfig } from '../../llama/config';
import { forwardFlopsPerToken, parameterCount } from '../../pruning/cost';
import { formatBytes, formatCount, formatMilliseconds, formatPercent } from '../core/format';
import { millisecondsPerStep, RECORDED_RUN } from '../core/run-record';
import { findRun } from '../core/lab-state';
import { useLabState } from '../lab-context';
import { useMemoryEstimate } from '../use-memory-estimate';

interface CostsProps {
  source: LlamaConfig;
  pruned: LlamaConfig;
  experiment: Experiment;
}

/** What the target shape costs against the source, before anything runs. */
export function Costs({ source, pruned, experiment }: CostsProps) {
  const measured = useLabState((state) => {
    const run = findRun(state, state.currentRun ?? state.shownRun);
    // The recorded run's steps were another machine's.
    return run && run.id !== RECORDED_RUN && run.started.source.name === experiment.source ? run : null;
  });
  const memory = useLabState((state) => state.memory);
  const estimate = useMemoryEstimate(source, experiment);
  const context = experiment.contextLength;
  const rows = [
    ['Parameters', parameterCount(source), parameterCount(pruned), formatCount],
    [
      'FLOPs a token',
      forwardFlopsPerToken(source, context),
      forwardFlopsPerToken(pruned, context),
      formatCount,
    ],
    ['Weights', parameterCount(source) * 4, parameterCount(pruned) * 4, formatBytes],
  ] as const;
  const step = measured && millisecondsPerStep(measured);
  const software = measured?.started.adapter.software ?? false;

  return (
    <table className="costs">
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Cost</span>
          </th>
          <th scope="col">source</th>
          <th scope="col">target</th>
          <th scope="col">share</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([title, before, after, format]) => (
          <tr key={title}>
            <th scope="row">{title}</th>
            <td>{format(before)}</td>
            <td className="strong">{format(after)}</td>
            <td>{formatPercent(after / before)}</td>
          </tr>
        ))}
        <tr>
          <th scope="row">A training step</th>
          <td colSpan={3} className="wide">
            {step === null ? (
              <span className="muted">measured once it runs</span>
            ) : (
              <>
                <span className="strong">{formatMilliseconds(step)}</span>
                {software ? ' on a software adapter' : ' measured here'}
              </>
            )}
          </td>
        </tr>
        {estimate !== null && (
          <tr>
            <th scope="row">GPU memory</th>
            <td colSpan={3} className="wide">
              <span className="strong">{formatBytes(estimate)}</span> while it runs
              {memory !== null && memory.most > 0 && (
                <span className="muted">, {formatBytes(memory.most)} held</span>
              )}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
