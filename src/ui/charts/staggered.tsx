import { type ReactNode, useEffect, useState } from 'react';
import { type ChartData, ChartDataContext } from './chart-data';

/** Between the redrawing of one chart and of the next: room for a frame and for input. */
const GAP_MS = 60;

interface StaggeredProps {
  data: ChartData;
  /** 0, 1, 2…: how many charts are drawn before this one. */
  place: number;
  children: ReactNode;
}

/**
 * Gives one chart its data a little after the chart before it. Five charts drawn in one go hold up the page
 * for several frames; one at a time they do not. What a visitor changes (theme, axis, zoom) waits as little.
 */
export function Staggered({ data, place, children }: StaggeredProps) {
  const [shown, setShown] = useState(data);
  useEffect(() => {
    const timer = setTimeout(() => setShown(data), place * GAP_MS);
    return () => clearTimeout(timer);
  }, [data, place]);
  return <ChartDataContext value={shown}>{children}</ChartDataContext>;
}
