import type { ChartRow } from '../core/chart-rows';
import { formatCount, formatNumber } from '../core/format';

export interface TableColumn {
  title: string;
  value(row: ChartRow): number | undefined;
  format?(value: number): string;
}

/** Rows of a table at most; the exports have every step. */
const MOST_ROWS = 60;

/** The numbers of a chart: rows in which anything was measured, thinned evenly when there are many. */
export function ChartTable({
  title,
  columns,
  rows,
}: {
  title: string;
  columns: readonly TableColumn[];
  rows: readonly ChartRow[];
}) {
  const filled = rows.filter((row) => columns.some((column) => column.value(row) !== undefined));
  const every = Math.max(1, Math.ceil(filled.length / MOST_ROWS));
  const shown = filled.filter((_, i) => i % every === 0 || i === filled.length - 1);
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={`${title}, table`}>
      <table>
        <caption className="visually-hidden">
          {title} by step{every > 1 ? `, every ${every}th row; the exports have all` : ''}
        </caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Tokens</th>
            {columns.map((column) => (
              <th key={column.title} scope="col">
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.step}>
              <th scope="row">{row.step}</th>
              <td>{formatCount(row.tokens)}</td>
              {columns.map((column) => {
                const value = column.value(row);
                return (
                  <td key={column.title}>
                    {value === undefined ? '' : (column.format ?? formatNumber)(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === 0 && <p className="chart-empty">Nothing measured yet.</p>}
    </div>
  );
}
