import { type ReactElement, type ReactNode, useState } from 'react';
import { ResponsiveContainer } from 'recharts';
import { Panel } from '../controls/panel';
import { toggleTable, useView } from '../view-store';
import { useChartData } from './chart-data';
import { ChartTable, type TableColumn } from './chart-table';
import { ReadoutContext } from './readout';

interface ChartFrameProps {
  title: string;
  className?: string;
  /** One sentence: what is drawn here. */
  note: string;
  columns: readonly TableColumn[];
  actions?: ReactNode;
  footer?: ReactNode;
  children: ReactElement;
}

/** A region with one chart, which can show its numbers as a table instead. */
export function ChartFrame({
  title,
  className = '',
  note,
  columns,
  actions,
  footer,
  children,
}: ChartFrameProps) {
  const { rows } = useChartData();
  const table = useView((view) => view.tables.includes(title));
  const [pointed, setPointed] = useState(false);
  return (
    <Panel
      title={title}
      className={`chart ${className}`}
      actions={
        <>
          {actions}
          <button
            type="button"
            className="quiet"
            aria-pressed={table}
            aria-label={`${title} as a table`}
            onClick={() => toggleTable(title)}
          >
            Table
          </button>
        </>
      }
    >
      {table ? (
        <ChartTable title={title} columns={columns} rows={rows} />
      ) : (
        <div
          className="chart-plot"
          role="group"
          aria-label={note}
          onPointerEnter={() => setPointed(true)}
          onPointerLeave={() => setPointed(false)}
        >
          {rows.length === 0 && <p className="chart-empty">{note}</p>}
          <ReadoutContext value={pointed}>
            <ResponsiveContainer width="100%" height="100%" debounce={60}>
              {children}
            </ResponsiveContainer>
          </ReadoutContext>
        </div>
      )}
      {footer}
    </Panel>
  );
}
