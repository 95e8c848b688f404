import { createContext, use } from 'react';
import type { ChartRow } from '../core/chart-rows';
import type { RunRecord } from '../core/run-record';
import type { Theme } from '../core/theme-colours';
import type { ViewState } from '../view-store';

/** What all charts of the page share: one run, one set of rows, one x axis. */
export interface ChartData {
  run: RunRecord | null;
  overlaid: RunRecord | null;
  /** What the shown and the overlaid run are called. */
  names: readonly [string, string];
  rows: readonly ChartRow[];
  /** Titles of the domains in the run's order. */
  domains: readonly string[];
  theme: Theme;
  xAxis: ViewState['xAxis'];
  /** First and last place of the x axis: the whole run that is planned, or what was zoomed to. */
  extent: [number, number];
  /** Where the cut stands on the x axis; null before it or outside of what is shown. */
  cutAt: number | null;
  /** Changes on the way, where they stand on the x axis. */
  marks: readonly { at: number; text: string }[];
}

export const ChartDataContext = createContext<ChartData | null>(null);

export function useChartData(): ChartData {
  const data = use(ChartDataContext);
  if (!data) throw new Error('Charts need ChartDataContext.');
  return data;
}
