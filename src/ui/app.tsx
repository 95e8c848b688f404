import { Suspense, useEffect } from 'react';
import { shapeOf } from '../llama/config';
import { checkTarget, nearestLegalTarget } from '../pruning/target-shape';
import { AnatomyPanel } from './anatomy/anatomy-panel';
import { PanelBoundary } from './controls/panel-boundary';
import { followedRun } from './core/lab-state';
import { describeShape } from './core/run-record';
import { download } from './download';
import type { Lab } from './lab';
import { LabContext } from './lab-context';
import { lazyPart } from './lazy-part';
import { GenerationPanel } from './panels/generation-panel';
import { Notices } from './panels/notices';
import { RecordedBanner } from './panels/recorded-banner';
import { ReportPanel } from './panels/report-panel';
import { ResultsPanel } from './panels/results-panel';
import { RunsPanel } from './panels/runs-panel';
import { TargetPanel } from './panels/target-panel';
import { TasksPanel } from './panels/tasks-panel';
import { Transport } from './panels/transport';
import { useNarrow, useThemeAttribute } from './use-theme';

/** The charts' library is most of the page's code: the bench stands before it has come. */
const charts = lazyPart(() => import('./charts/charts').then((module) => module.Charts));

export function App({ lab, embedded }: { lab: Lab; embedded: boolean }) {
  useThemeAttribute();
  useExports(lab);
  useLegalTarget(lab);
  const narrow = useNarrow();
  const left = !embedded && (
    <div className="column left" key="left">
      <PanelBoundary title="Target shape">
        <TargetPanel />
      </PanelBoundary>
    </div>
  );
  const middle = (
    <div className="column middle" key="middle">
      <PanelBoundary title="Recorded run">
        <RecordedBanner />
      </PanelBoundary>
      <PanelBoundary title="Anatomy">
        <AnatomyPanel />
      </PanelBoundary>
      <PanelBoundary title="Charts" onRetry={charts.retry}>
        <Suspense fallback={<p className="panel waiting charts-waiting">Loading the charts…</p>}>
          <charts.Part />
        </Suspense>
      </PanelBoundary>
    </div>
  );
  return (
    <LabContext value={lab}>
      <a className="skip" href="#bench">
        To the bench
      </a>
      <PanelBoundary title="Transport">
        <Transport embedded={embedded} />
      </PanelBoundary>
      <PanelBoundary title="Notices">
        <Notices />
      </PanelBoundary>
      {/* A phone shows first what moves; the order of the page follows, so that the keyboard's order fits. */}
      <main id="bench" className={`bench ${embedded ? 'embedded' : ''}`} tabIndex={-1}>
        {narrow ? [middle, left] : [left, middle]}
        <div className="column right" key="right">
          <PanelBoundary title="Generation">
            <GenerationPanel />
          </PanelBoundary>
          <PanelBoundary title="Results">
            <ResultsPanel />
          </PanelBoundary>
          <PanelBoundary title="Tasks">
            <TasksPanel />
          </PanelBoundary>
          <PanelBoundary title="Comparison">
            <ReportPanel />
          </PanelBoundary>
          <PanelBoundary title="Runs">
            <RunsPanel />
          </PanelBoundary>
        </div>
      </main>
    </LabContext>
  );
}

/** A model that the engine packed becomes a download at once. */
function useExports(lab: Lab): void {
  useEffect(
    () =>
      lab.store.subscribe(({ exported }) => {
        if (!exported) return;
        lab.store.setState({ exported: null });
        download(exported.fileName, exported.bytes, 'application/zip');
      }),
    [lab],
  );
}

/** A target that the source cannot be cut to (from a link, or after another source) moves to the nearest. */
function useLegalTarget(lab: Lab): void {
  useEffect(
    () =>
      lab.store.subscribe((state, before) => {
        const { source, experiment } = state;
        if (followedRun(state)) return;
        if (!source || source === before.source || source.name !== experiment.source) return;
        const { target, gates } = experiment;
        if (checkTarget(source.config, target, gates).length === 0) return;
        const nearest = nearestLegalTarget(source.config, target, gates);
        lab.notify({
          kind: 'warning',
          text: `${source.name} (${describeShape(shapeOf(source.config))}) cannot be cut to ${describeShape(target)}: the nearest target, ${describeShape(nearest)}, is used.`,
        });
        lab.setTarget(nearest);
      }),
    [lab],
  );
}
