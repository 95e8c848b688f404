import { useState } from 'react';
import { trains } from '../../retraining';
import { ARMS, type Arm, type EvaluationReport } from '../../report/report';
import { reportCsv, reportJson, reportMarkdown } from '../../report/export';
import type { ReportRequest } from '../../report/run-report';
import { ARM_TITLES, reportTable } from '../../report/table';
import { ALL_WINDOWS } from '../../run/run-size';
import { controlSeconds } from '../core/control-time';
import { formatDuration } from '../core/format';
import { findJob, findRun } from '../core/lab-state';
import { hasModels, type RunRecord } from '../core/run-record';
import { Panel } from '../controls/panel';
import { SelectField } from '../controls/select-field';
import { WorkProgress } from '../controls/work-progress';
import { download } from '../download';
import { useLab, useLabState } from '../lab-context';

/** How thoroughly models are measured. A sample is what a software adapter does in minutes. */
const EXTENTS = {
  sample: { title: 'A sample', items: 50, windows: 32 },
  everything: { title: 'All test windows and items', items: 10_000, windows: ALL_WINDOWS },
} as const;
type Extent = keyof typeof EXTENTS;

/** The models of a finished run side by side, with the control trained from scratch. */
export function ReportPanel() {
  const lab = useLab();
  const run = useLabState((state) => findRun(state, state.shownRun));
  const finished = hasModels(run) && run.finished !== null;
  const job = useLabState((state) => findJob(state, 'compare'));
  const comparison = useLabState((state) => state.comparison);
  const shown = run && comparison?.run === run.id ? comparison : null;
  return (
    <Panel
      title="Comparison"
      className="report"
      actions={shown?.report && <ReportExports report={shown.report} />}
    >
      {job && shown?.id === job.id ? (
        <WorkProgress
          label="Progress of the comparison"
          share={job.progress?.share ?? 0}
          secondsLeft={job.progress?.secondsLeft ?? null}
          onCancel={() => lab.cancel('compare')}
        >
          {job.progress?.what ?? 'Starting'}
        </WorkProgress>
      ) : finished ? (
        <CompareForm run={run} />
      ) : (
        !shown?.report && (
          <p className="waiting">
            When a run has finished, its models are compared here with the same shape trained from scratch.
          </p>
        )
      )}
      {shown?.report && <ReportTable report={shown.report} />}
    </Panel>
  );
}

function CompareForm({ run }: { run: RunRecord }) {
  const lab = useLab();
  const software = useLabState((state) => state.engine.adapter?.software ?? false);
  const [left, setLeft] = useState<readonly Arm[]>(['family', 'rewarmed']);
  const [tasks, setTasks] = useState(true);
  const [extent, setExtent] = useState<Extent>(software ? 'sample' : 'everything');
  const offered = ARMS.filter((arm) => arm !== 'retrained' || trains(run.settings.retraining));
  const arms = offered.filter((arm) => !left.includes(arm));
  const seconds = controlSeconds(run);
  const about: Partial<Record<Arm, string>> = {
    source: run.started.source.name,
    pruned: 'as cut, before retraining',
    scratch: `same shape, same tokens: trains for about ${seconds === null ? '–' : formatDuration(seconds)} here`,
    rewarmed: 'the source itself, as many tokens: trains longer than that',
    family: 'the closest in block parameters: is downloaded',
  };
  const { items, windows } = EXTENTS[extent];
  const request: ReportRequest = { arms, tasks: tasks ? 'all' : [], items, windows };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        lab.compare(request);
      }}
    >
      <fieldset>
        <legend className="visually-hidden">Models to compare</legend>
        {offered.map((arm) => (
          <Choice
            key={arm}
            title={ARM_TITLES[arm]}
            about={about[arm]}
            checked={arms.includes(arm)}
            onChange={(on) => setLeft(on ? left.filter((other) => other !== arm) : [...left, arm])}
          />
        ))}
      </fieldset>
      <Choice title="Tasks" about="accuracy with intervals" checked={tasks} onChange={setTasks} />
      <div className="report-start">
        <SelectField
          label="Measure"
          value={extent}
          options={Object.entries(EXTENTS).map(([value, { title }]) => ({ value, label: title }))}
          onChange={(value) => setExtent(value as Extent)}
        />
        <button type="submit" className="primary" disabled={arms.length === 0}>
          Compare
        </button>
      </div>
    </form>
  );
}

interface ChoiceProps {
  title: string;
  about: string | undefined;
  checked: boolean;
  onChange(on: boolean): void;
}

function Choice({ title, about, checked, onChange }: ChoiceProps) {
  return (
    <label className="report-choice">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <span>
        {title}
        {about && <span className="muted"> · {about}</span>}
      </span>
    </label>
  );
}

function ReportTable({ report }: { report: EvaluationReport }) {
  const { columns, sections, notes } = reportTable(report);
  return (
    <>
      {/* Wider than the column: it can be scrolled by keyboard, too. */}
      <div className="report-table" role="group" aria-label="Comparison as a table" tabIndex={0}>
        <table>
          <caption className="visually-hidden">Models side by side</caption>
          <thead>
            <tr>
              <td />
              {columns.map(({ title, model }) => (
                <th key={title} scope="col">
                  {title}
                  {model && <span className="report-model">{model}</span>}
                </th>
              ))}
            </tr>
          </thead>
          {sections.map(({ title, rows }) => (
            <tbody key={title}>
              <tr className="report-section">
                <th scope="rowgroup" colSpan={columns.length + 1}>
                  {title}
                </th>
              </tr>
              {rows.map((row) => (
                <tr key={row.title}>
                  <th scope="row">{row.title}</th>
                  {row.cells.map((cell, i) => (
                    <td key={columns[i]?.title}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
      <details className="hint">
        <summary>What the rows mean</summary>
        {notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </details>
    </>
  );
}

const EXPORTS = [
  { title: 'CSV', extension: 'csv', type: 'text/csv', write: reportCsv },
  { title: 'Markdown', extension: 'md', type: 'text/markdown', write: reportMarkdown },
  { title: 'JSON', extension: 'json', type: 'application/json', write: reportJson },
];

function ReportExports({ report }: { report: EvaluationReport }) {
  const name = `shear-lab-report-${report.source}-seed${report.experiment.seed}`;
  return EXPORTS.map(({ title, extension, type, write }) => (
    <button
      key={extension}
      type="button"
      className="quiet"
      aria-label={`Export the comparison as ${title}`}
      onClick={() => download(`${name}.${extension}`, write(report), type)}
    >
      {title}
    </button>
  ));
}
