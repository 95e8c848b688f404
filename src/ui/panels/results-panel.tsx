import { domainTitle } from '../core/domain-title';
import { formatBytes, formatCount, formatNumber, formatPercent, formatPerplexity } from '../core/format';
import { describeNearlyDead } from '../core/nearly-dead';
import { findJob, findRun } from '../core/lab-state';
import {
  achievedShape,
  describeShape,
  hasModels,
  latestLoss,
  meanOf,
  type RunRecord,
} from '../core/run-record';
import { Panel } from '../controls/panel';
import { useLab, useLabState } from '../lab-context';
import { useThrottled } from '../use-throttled';

/** Numbers that change faster than this cannot be read. */
const REDRAW_MS = 300;

/** What came of the shown run: its shape, and perplexity by domain of both models. */
export function ResultsPanel() {
  const lab = useLab();
  const run = useThrottled(
    useLabState((state) => findRun(state, state.shownRun)),
    REDRAW_MS,
  );
  const evaluation = useLabState((state) => state.evaluation);
  const canMeasure = useLabState((state) => hasModels(findRun(state, state.shownRun)));
  const measuring = useLabState((state) => findJob(state, 'evaluate') !== null);
  const full = evaluation && run && evaluation.run === run.id ? evaluation : null;

  return (
    <Panel
      title="Results"
      className="results"
      actions={
        <button
          type="button"
          className="quiet"
          disabled={!canMeasure && !measuring}
          title="Measures both models on every validation window, which takes longer"
          onClick={() => (measuring ? lab.cancel('evaluate') : lab.evaluate())}
        >
          {measuring ? 'Stop evaluating' : 'Evaluate on the full validation split'}
        </button>
      }
    >
      {run ? (
        <>
          <Achieved run={run} />
          <NearlyDead run={run} />
          <PerplexityTable
            run={run}
            source={full?.source?.loss ?? run.started.referenceLoss}
            pruned={full?.pruned?.loss ?? latestLoss(run)?.loss ?? null}
            label={prunedLabel(run)}
          />
          <p className="hint">
            {full?.pruned
              ? `On the full validation split: ${formatCount(full.pruned.tokens.reduce((a, b) => a + b, 0))} predictions.`
              : `On the run’s evaluation windows: ${run.started.experiment.evaluation.windows} a domain.`}
          </p>
        </>
      ) : (
        <p className="waiting">Perplexity by domain of both models stands here when a run is going on.</p>
      )}
    </Panel>
  );
}

function prunedLabel(run: RunRecord): string {
  return run.surgery ? 'Pruned' : 'Masked';
}

function Achieved({ run }: { run: RunRecord }) {
  const shape = achievedShape(run);
  const before = run.started.source.parameters;
  const after = run.surgery?.parameters ?? run.finished?.summary.parameters.pruned ?? null;
  const masked = run.evaluations.findLast((evaluation) => evaluation.shape)?.shape;
  const difference = run.surgery?.maskedVersusPruned;
  return (
    <dl className="facts achieved">
      <div>
        <dt>{shape ? 'Achieved' : 'Now open'}</dt>
        <dd data-testid="achieved-shape">
          {shape ? <strong>{describeShape(shape)}</strong> : masked ? describeRounded(masked) : 'every unit'}
        </dd>
      </div>
      <div>
        <dt>Parameters</dt>
        <dd>
          {formatCount(before)}
          {after !== null && (
            <>
              {' → '}
              <strong>{formatCount(after)}</strong> ({formatPercent(after / before)})
            </>
          )}
        </dd>
      </div>
      {after !== null && (
        <div>
          <dt>Weights</dt>
          <dd>
            {formatBytes(before * 4)} → {formatBytes(after * 4)} as f32
          </dd>
        </div>
      )}
      <WritingSpeed run={run} />
      {difference !== undefined && (
        <div>
          <dt title="Largest absolute difference of logits between the masked source and the cut model">
            Logits
          </dt>
          <dd>masked = pruned within {formatNumber(difference, 2)}</dd>
        </div>
      )}
    </dl>
  );
}

/** Survivors that nothing but the target kept. */
function NearlyDead({ run }: { run: RunRecord }) {
  const text = describeNearlyDead(run);
  return text && <p className="hint nearly-dead">{text}</p>;
}

/** Both models' own pace at writing, once they have written. */
function WritingSpeed({ run }: { run: RunRecord }) {
  const written = useLabState(({ generation }) => (generation?.run === run.id ? generation : null));
  const software = useLabState((state) => state.engine.adapter?.software ?? false);
  if (!written?.source?.done || !written.pruned?.done) return null;
  return (
    <div>
      <dt>Writing</dt>
      <dd>
        {formatNumber(written.source.tokensPerSecond)} → {formatNumber(written.pruned.tokensPerSecond)}{' '}
        tokens/s
        {software ? ', software adapter' : ''}
      </dd>
    </div>
  );
}

/** While masks are being learnt the shape is an average over layers: one decimal is enough. */
function describeRounded(shape: Parameters<typeof describeShape>[0]): string {
  const round = (value: number) => Math.round(value * 10) / 10;
  return describeShape({
    numHiddenLayers: round(shape.numHiddenLayers),
    hiddenSize: round(shape.hiddenSize),
    numAttentionHeads: round(shape.numAttentionHeads),
    intermediateSize: round(shape.intermediateSize),
  });
}

interface PerplexityTableProps {
  run: RunRecord;
  source: readonly number[];
  pruned: readonly number[] | null;
  label: string;
}

function PerplexityTable({ run, source, pruned, label }: PerplexityTableProps) {
  return (
    <table className="perplexity">
      <caption className="visually-hidden">Perplexity by domain</caption>
      <thead>
        <tr>
          <th scope="col">Perplexity</th>
          <th scope="col">Source</th>
          <th scope="col">{label}</th>
          <th scope="col">ratio</th>
        </tr>
      </thead>
      <tbody>
        {run.started.domains.map((domain, i) => (
          <PerplexityRow key={domain} title={domainTitle(domain)} before={source[i]} after={pruned?.[i]} />
        ))}
        <PerplexityRow
          title="Mean of domains"
          before={meanOf(source)}
          after={pruned ? meanOf(pruned) : undefined}
          strong
        />
      </tbody>
    </table>
  );
}

function PerplexityRow({
  title,
  before,
  after,
  strong,
}: {
  title: string;
  before: number | undefined;
  after: number | undefined;
  strong?: boolean;
}) {
  return (
    <tr className={strong ? 'total' : ''}>
      <th scope="row">{title}</th>
      <td>{before === undefined ? '–' : formatPerplexity(before)}</td>
      <td>{after === undefined ? '–' : formatPerplexity(after)}</td>
      <td>
        {before === undefined || after === undefined ? '' : `× ${formatNumber(Math.exp(after - before))}`}
      </td>
    </tr>
  );
}
