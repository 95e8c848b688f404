import { createContext, use } from 'react';
import type { ChartRow } from '../core/chart-rows';
import { formatCount, formatNumber } from '../core/format';

/** Whether the pointer is over this chart: the crosshair is in all of them, the numbers only here. */
export const ReadoutContext = createContext(false);

export interface ReadoutSeries {
  name: string;
  colour: string;
  value(row: ChartRow): number | undefined;
  format?(value: number): string;
}

interface ReadoutProps {
  series: readonly ReadoutSeries[];
  /** Given by recharts. */
  active?: boolean;
  payload?: readonly { payload?: unknown }[];
}

/** The numbers under the crosshair. */
export function Readout({ series, active, payload }: ReadoutProps) {
  const pointed = use(ReadoutContext);
  const row = payload?.find((item) => item.payload)?.payload as ChartRow | undefined;
  if (!active || !pointed || !row) return null;
  const lines = series.flatMap((entry) => {
    const value = entry.value(row);
    return value === undefined ? [] : [{ entry, value }];
  });
  if (lines.length === 0) return null;
  return (
    <div className="readout">
      <div className="readout-head">
        step {row.step} · {formatCount(row.tokens)} tokens
      </div>
      {lines.map(({ entry, value }) => (
        <div key={entry.name} className="readout-line">
          <i style={{ background: entry.colour }} />
          <span>{entry.name}</span>
          <b>{(entry.format ?? formatNumber)(value)}</b>
        </div>
      ))}
    </div>
  );
}
