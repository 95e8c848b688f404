import { FileButton } from '../controls/file-button';
import { type DragEvent, useState } from 'react';
import { VERSION } from '../../run/version';
import { describeAdapter } from '../../run/adapter-name';
import { seedSpread } from '../core/seed-spread';
import { formatBytes } from '../core/format';
import { findJob } from '../core/lab-state';
import { RECORDED_RUN } from '../core/run-record';
import { Panel } from '../controls/panel';
import { WorkProgress } from '../controls/work-progress';
import { useLab, useLabState } from '../lab-context';
import { useThrottled } from '../use-throttled';
import { KeptRunItem } from './kept-run-item';
import { RecordedRunItem } from './recorded-run-item';

const REDRAW_MS = 500;

/** Every run that is kept on this machine, what was set differently, and what came of it. */
export function RunsPanel() {
  const lab = useLab();
  const kept = useThrottled(
    useLabState((state) => state.kept),
    REDRAW_MS,
  );
  const recorded = useThrottled(
    useLabState((state) => state.recorded.run),
    REDRAW_MS,
  );
  const adapter = useLabState((state) => state.engine.adapter);
  const job = useLabState((state) => findJob(state, 'exportRun') ?? findJob(state, 'importRun'));
  const [over, setOver] = useState(false);
  const drop = {
    onDragOver(event: DragEvent) {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop(event: DragEvent) {
      event.preventDefault();
      setOver(false);
      for (const file of event.dataTransfer.files) void lab.importRun(file);
    },
  };
  const runs = kept?.runs ?? [];
  return (
    <Panel title="Runs" className={`runs ${over ? 'dropping' : ''}`} actions={<Import />}>
      <div {...drop}>
        {kept?.notice && <p className="hint warning">{kept.notice}</p>}
        {job?.progress && (
          <WorkProgress
            label="Progress of the file"
            share={job.progress.share}
            secondsLeft={job.progress.secondsLeft}
            onCancel={() => lab.cancel(job.kind)}
          >
            {job.progress.what}
          </WorkProgress>
        )}
        {runs.length === 0 && (
          <p className="waiting">Every run is kept here with its settings, its log and its models.</p>
        )}
        <ol>
          {runs.map((run) => (
            <KeptRunItem key={run.id} run={run} />
          ))}
          {kept?.damaged.map(({ id, problem, bytes }) => (
            <li key={id}>
              <div className="run-head">
                <strong>Damaged run</strong>
                <span className="muted">{formatBytes(bytes)}</span>
                <span className="run-actions">
                  <button type="button" className="quiet" onClick={() => lab.removeRun(id)}>
                    Delete<span className="visually-hidden"> damaged run {id}</span>
                  </button>
                </span>
              </div>
              <p className="muted">{problem}</p>
            </li>
          ))}
          {recorded && <RecordedRunItem key={RECORDED_RUN} run={recorded} />}
        </ol>
        {seedSpread(runs).map((spread) => (
          <p key={spread.settings} className="hint">
            {spread.runs} seeds ({spread.settings}): perplexity {spread.mean.toFixed(2)} ±{' '}
            {spread.deviation.toFixed(2)}.
          </p>
        ))}
        <p className="hint">
          {runs.length > 0 && `${formatBytes(kept?.used ?? 0)} kept on this machine · `}
          shear-lab {VERSION}
          {adapter && `, computing on ${describeAdapter(adapter)}`} · <a href="./licences.txt">Licences</a>
        </p>
      </div>
    </Panel>
  );
}

/** Takes in a run that was exported; it can be dropped on the list as well. */
function Import() {
  const lab = useLab();
  return (
    <FileButton
      title="Takes in a run that was exported; it can be dropped here as well"
      accept=".zip"
      fileLabel="File of an exported run"
      onFile={(file) => void lab.importRun(file)}
    >
      Import a run
    </FileButton>
  );
}
