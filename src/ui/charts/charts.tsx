import { useEffect, useMemo } from 'react';
import type { InterventionEvent } from '../../run/events';
import { runTokens } from '../../run/run-size';
import type { Experiment } from '../../experiment/schema';
import { chartRows, type ChartRow } from '../core/chart-rows';
import { findRun, runName, settingsShown } from '../core/lab-state';
import { domainTitle } from '../core/domain-title';
import { describeIntervention } from '../core/intervention-text';
import { plannedSteps } from '../core/run-record';
import { extentOf } from '../core/ticks';
import { useLabState } from '../lab-context';
import { useTheme } from '../use-theme';
import { useThrottled } from '../use-throttled';
import { Interventions } from '../panels/interventions';
import { setView, useView } from '../view-store';
import type { ChartData } from './chart-data';
import { MultiplierChart, SparsityChart } from './gate-charts';
import { LossChart } from './loss-chart';
import { MixtureChart } from './mixture-chart';
import { SpeedChart } from './speed-chart';
import { Staggered } from './staggered';

/** Charts are drawn again at most this often: five of them cost more than a frame. */
const REDRAW_MS = 600;

/** All charts of one run, with one x axis and one crosshair. */
export function Charts() {
  const newest = useLabState((state) => findRun(state, state.shownRun));
  const run = useThrottled(newest, REDRAW_MS);
  const overlaid = useLabState((state) => findRun(state, state.overlaidRun));
  const experiment = useLabState(settingsShown);
  const name = useLabState((state) => (state.shownRun === null ? '' : runName(state, state.shownRun)));
  const other = useLabState((state) => (state.overlaidRun === null ? '' : runName(state, state.overlaidRun)));
  const theme = useTheme();
  const xAxis = useView((view) => view.xAxis);
  const range = useView((view) => view.range);
  const smoothing = useView((view) => view.smoothing);

  // A zoom belongs to the run that it was made on.
  const shown = newest?.id;
  useEffect(() => setView({ range: null }), [shown]);

  const data = useMemo((): ChartData => {
    const rows = run ? chartRows(run, overlaid, { range, smoothing, xAxis }) : [];
    const cut = run?.surgery ? rows.find((row) => row.step >= (run.surgery?.step ?? 0)) : undefined;
    return {
      run,
      overlaid,
      names: [name, other],
      rows,
      domains: run?.started.domains.map(domainTitle) ?? [],
      theme,
      xAxis,
      extent: shownExtent(run?.settings ?? experiment, rows, xAxis, range !== null),
      cutAt: cut?.[xAxis] ?? null,
      marks:
        run?.interventions.map((event) => ({
          at: placeOf(event, xAxis),
          text: describeIntervention(event),
        })) ?? [],
    };
  }, [run, experiment, overlaid, name, other, range, smoothing, theme, xAxis]);

  return (
    <>
      <Staggered data={data} place={0}>
        <LossChart />
      </Staggered>
      <Interventions />
      <div className="chart-grid">
        <Staggered data={data} place={1}>
          <MixtureChart />
        </Staggered>
        <Staggered data={data} place={2}>
          <SparsityChart />
        </Staggered>
        <Staggered data={data} place={3}>
          <MultiplierChart />
        </Staggered>
        <Staggered data={data} place={4}>
          <SpeedChart />
        </Staggered>
      </div>
    </>
  );
}

/** Where an event stands on the x axis. */
function placeOf({ step, tokens, elapsedMs }: InterventionEvent, xAxis: ChartData['xAxis']): number {
  return { step, tokens, seconds: elapsedMs / 1000 }[xAxis];
}

/**
 * A run grows towards its planned end, so that the axis does not move, and to the end of the overlaid run where that is
 * later. How many seconds it will take is not known.
 */
function shownExtent(
  experiment: Experiment,
  rows: readonly ChartRow[],
  xAxis: ChartData['xAxis'],
  zoomed: boolean,
): ChartData['extent'] {
  const drawn = extentOf(rows.map((row) => row[xAxis]));
  if (zoomed && drawn) return drawn;
  const planned = { step: plannedSteps(experiment), tokens: runTokens(experiment), seconds: drawn ? 0 : 60 };
  return [0, Math.max(planned[xAxis], drawn?.[1] ?? 0)];
}
