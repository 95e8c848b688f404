export type Cell = string | number | boolean | null | undefined;

/**
 * A cell of RFC 4180. Texts that a spreadsheet would take for a formula get an apostrophe in front; numbers
 * never need one. Numbers that are not finite are left empty.
 */
function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  const text = /^[=+\-@\t\r\n]/.test(String(cell)) ? `'${String(cell)}` : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** CSV as RFC 4180 has it: lines end in CRLF, quotes are doubled. */
export function csvText(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}
