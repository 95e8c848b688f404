import { useState } from 'react';
import { compareResults, sameItems } from '../../evaluation/compare';
import { headline, reportedAccuracy, type Estimate, type TaskResult } from '../../evaluation/result';
import type { ScoredModel } from '../../session/protocol';
import { formatNumber } from '../core/format';
import { findJob, findRun, type Job, type LabState } from '../core/lab-state';
import { hasModels } from '../core/run-record';
import { Panel } from '../controls/panel';
import { SelectField } from '../controls/select-field';
import { WorkProgress } from '../controls/work-progress';
import { useLab, useLabState } from '../lab-context';

const SCORED_MODELS: readonly ScoredModel[] = ['source', 'pruned', 'retrained'];

const TITLES: Record<ScoredModel, string> = {
  source: 'Source',
  pruned: 'Pruned, as cut',
  retrained: 'Pruned and retrained',
};

/** Items of each task. A hundred tell 40 % from 60 %, and are what a software adapter does in minutes. */
const EXTENTS = {
  sample: { title: '100 items a task', limit: 100 },
  all: { title: 'All items', limit: 10_000 },
} as const;
type Extent = keyof typeof EXTENTS;

/** Accuracy of one model on the tasks that were built from held-out text. */
export function TasksPanel() {
  const lab = useLab();
  const models = SCORED_MODELS.slice(0, useLabState(modelsOfShown));
  const [chosen, setChosen] = useState<ScoredModel>('source');
  const which = models.includes(chosen) ? chosen : 'source';
  const run = useLabState((state) => (which === 'source' ? null : state.shownRun));
  const taskScores = useLabState((state) => state.taskScores);
  const ready = useLabState((state) => state.source !== null && state.engine.state === 'open');
  const software = useLabState((state) => state.engine.adapter?.software ?? false);
  const [extent, setExtent] = useState<Extent | null>(null);
  const measured = extent ?? (software ? 'sample' : 'all');
  const shown = taskScores.find((scores) => scores.which === which && scores.run === run);
  const source = taskScores.find((scores) => scores.which === 'source');
  const going = useLabState((state) => findJob(state, 'scoreTasks'));
  const scored = taskScores.find(({ id }) => id === going?.id);

  return (
    <Panel title="Tasks" className="tasks">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          lab.scoreTasks(which, EXTENTS[measured].limit);
        }}
      >
        <SelectField
          label="Model"
          value={which}
          options={models.map((value) => ({ value, label: TITLES[value] }))}
          onChange={(value) => setChosen(value as ScoredModel)}
        />
        <SelectField
          label="Items"
          value={measured}
          options={Object.entries(EXTENTS).map(([value, { title }]) => ({ value, label: title }))}
          onChange={(value) => setExtent(value as Extent)}
        />
        <button type="submit" className="primary" disabled={!ready || going !== null}>
          Evaluate
        </button>
      </form>
      {going && <Going job={going} title={scored ? TITLES[scored.which] : ''} />}
      {shown && shown.results.length > 0 ? (
        <TaskTable
          results={shown.results}
          sourceResults={which === 'source' ? [] : (source?.results ?? [])}
          title={TITLES[which]}
        />
      ) : (
        !going && (
          <p className="waiting">
            Continuations, last words, grammar, definitions, code: how often the model prefers the right
            answer, and how often chance would.
          </p>
        )
      )}
    </Panel>
  );
}

/** How many of SCORED_MODELS the shown run has. */
function modelsOfShown(state: LabState): number {
  const run = findRun(state, state.shownRun);
  if (!hasModels(run)) return 1;
  return run.finished && run.settings.retraining === 'continued' ? 3 : 2;
}

function Going({ job: { progress }, title }: { job: Job; title: string }) {
  const lab = useLab();
  return (
    <WorkProgress
      label="Progress of the tasks"
      share={progress?.share ?? 0}
      secondsLeft={progress?.secondsLeft ?? null}
      onCancel={() => lab.cancel('scoreTasks')}
    >
      {title}: {progress?.what ?? 'starting'}
    </WorkProgress>
  );
}

interface TaskTableProps {
  results: readonly TaskResult[];
  /** The source's on the same tasks, to compare with; empty for the source itself. */
  sourceResults: readonly TaskResult[];
  title: string;
}

function TaskTable({ results, sourceResults, title }: TaskTableProps) {
  const compared = sourceResults.length > 0;
  return (
    <>
      <table>
        <caption className="visually-hidden">Accuracy on the tasks: {title}</caption>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col">
              <span className="interval-scale">
                <span>0</span>
                <span>100 %</span>
              </span>
            </th>
            <th scope="col">Accuracy</th>
            {compared && (
              <th
                scope="col"
                title="Difference to the source on the same items, in points, with its 95 % interval"
              >
                To source
              </th>
            )}
          </tr>
        </thead>
        {results.map((result) => (
          <TaskRows
            key={result.task.name}
            result={result}
            source={sourceResults.find((other) => sameItems(result, other)) ?? null}
            compared={compared}
          />
        ))}
      </table>
      <p className="hint">
        Line: 95 % interval. Tick: what chance gives. {title} on {itemCount(results)}, scored by
        log-likelihood.
      </p>
    </>
  );
}

function itemCount(results: readonly TaskResult[]): string {
  return `${results.reduce((sum, { items }) => sum + items, 0).toLocaleString('en')} items`;
}

interface TaskRowsProps {
  result: TaskResult;
  source: TaskResult | null;
  compared: boolean;
}

/** A task, and when it is opened its groups. */
function TaskRows({ result, source, compared }: TaskRowsProps) {
  const [open, setOpen] = useState(false);
  const { task, groups, perplexity } = result;
  const accuracy = headline(result);
  const difference = source && compareResults(source, result).difference;
  return (
    <tbody>
      <tr>
        <th scope="row">
          {groups.length > 1 ? (
            <button
              type="button"
              className="quiet task-groups"
              aria-expanded={open}
              onClick={() => setOpen(!open)}
            >
              {task.title}
            </button>
          ) : (
            task.title
          )}
          {perplexity && (
            <span className="task-perplexity">{formatNumber(perplexity.value)} perplexity a word</span>
          )}
        </th>
        <AccuracyCells accuracy={accuracy} chance={task.chance} />
        {compared && <td>{difference ? describeDifference(difference) : ''}</td>}
      </tr>
      {open &&
        groups.map((group) => (
          <tr key={group.group} className="task-group">
            <th scope="row">{group.group}</th>
            <AccuracyCells accuracy={reportedAccuracy(task, group)} chance={task.chance} />
            {compared && <td />}
          </tr>
        ))}
    </tbody>
  );
}

const percent = (share: number) => `${100 * share}%`;
const points = (share: number) => (100 * share).toFixed(1);

function AccuracyCells({ accuracy, chance }: { accuracy: Estimate; chance: number }) {
  const { value, low, high } = accuracy;
  const label = `${points(value)} %, 95 % interval ${points(low)} to ${points(high)} %, chance ${points(chance)} %`;
  return (
    <>
      <td>
        <span className="interval" role="img" aria-label={label} title={label}>
          <span className="interval-chance" style={{ left: percent(chance) }} />
          <span className="interval-range" style={{ left: percent(low), width: percent(high - low) }} />
          <span className="interval-point" style={{ left: percent(value) }} />
        </span>
      </td>
      <td>{points(value)}&#8239;%</td>
    </>
  );
}

function describeDifference({ value, low, high }: Estimate): string {
  const sign = value > 0 ? '+' : value < 0 ? '−' : '';
  return `${sign}${points(Math.abs(value))} ± ${points((high - low) / 2)}`;
}
