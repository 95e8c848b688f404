import { createContext, use } from 'react';
import type { ChartRow } from '../core/chart-rows';
import { formatCount, formatNumber } from '../core/format';

/** Whether the pointer is over this chart: the crosshair is in all of them, the numbers only here. */
export const ReadoutContext = createContext(false);

export interface ReadoutSeries {
  name: string;
  colour: string;
  value(row: ChartRow): number | undefined;
  /** The same of the overlaid run. */
  other?(row: ChartRow): number | undefined;
  format?(value: number): string;
}

interface ReadoutProps {
  series: readonly ReadoutSeries[];
  /** What has to be known to read the numbers at this place, such as the step that they are of. */
  note?(row: ChartRow): string;
  /** Names of the shown and of the overlaid run, over their numbers. */
  runs?: readonly [string, string];
  /** Given by recharts. */
  active?: boolean;
  payload?: readonly { payload?: unknown }[];
}

/** The numbers under the crosshair. */
export function Readout({ series, note, runs, active, payload }: ReadoutProps) {
  const pointed = use(ReadoutContext);
  const row = payload?.find((item) => item.payload)?.payload as ChartRow | undefined;
  if (!active || !pointed || !row) return null;
  const lines = series.flatMap((entry) => {
    const value = entry.value(row);
    const other = runs && entry.other?.(row);
    return value === undefined && other === undefined ? [] : [{ entry, value, other }];
  });
  if (lines.length === 0) return null;
  const noted = note?.(row) ?? '';
  return (
    <div className={`readout ${runs ? 'two-runs' : ''}`}>
      <div className="readout-head">
        step {row.step} · {formatCount(row.tokens)} tokens
      </div>
      {noted && <div className="readout-head">{noted}</div>}
      {runs && (
        <div className="readout-line">
          <i />
          <span />
          <span>{runs[0]}</span>
          <span>{runs[1]}</span>
        </div>
      )}
      {lines.map(({ entry, value, other }) => (
        <div key={entry.name} className="readout-line">
          <i style={{ background: entry.colour }} />
          <span>{entry.name}</span>
          <b>{value === undefined ? '–' : (entry.format ?? formatNumber)(value)}</b>
          {runs && <span>{other === undefined ? '–' : (entry.format ?? formatNumber)(other)}</span>}
        </div>
      ))}
    </div>
  );
}
