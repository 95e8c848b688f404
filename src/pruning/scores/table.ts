import type { Cell } from '../../formats/csv';
import { plain, refuse } from '../../formats/refusal';
import type { LlamaConfig } from '../../llama/config';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import type { Scores } from './criterion';

const COLUMNS = ['set', 'row', 'unit', 'score'] as const;

/** The table of a model with a million units, and more than any that a browser prunes. */
export const LARGEST_TABLE = 32e6;

/** Scores as a table: a line for each unit, with the place it has in the gate layout. */
export function scoreRows(config: LlamaConfig, { values }: Scores): Cell[][] {
  const layout = gateLayout(config);
  return [
    [...COLUMNS],
    ...GATE_SETS.flatMap((set) =>
      Array.from(values[set] ?? [], (score, i) => [
        set,
        Math.floor(i / layout[set].length),
        i % layout[set].length,
        score,
      ]),
    ),
  ];
}

/**
 * Reads a table of `scoreRows`, as CSV without quotes: every unit of each set that it names, once, in any order.
 *
 * @throws InputError that names the line, the column and what must stand there
 */
export function readScoreTable(config: LlamaConfig, text: string, subject: string): Scores {
  if (text.length > LARGEST_TABLE) refuse(subject, `must have at most ${LARGEST_TABLE / 1e6} MB`);
  const layout = gateLayout(config);
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines[0] !== COLUMNS.join(',')) refuse(subject, `line 1 must be ${COLUMNS.join(',')}`);
  const values: Scores['values'] = {};
  for (let i = 1; i < lines.length; i++) {
    const cells = lines[i]!.split(',');
    const wrong = (column: (typeof COLUMNS)[number], rule: string): never => {
      const cell = cells[COLUMNS.indexOf(column)] ?? '';
      return refuse(subject, `line ${i + 1}, column ${column} must be ${rule}, not "${plain(cell)}"`);
    };
    if (cells.length !== COLUMNS.length) {
      refuse(subject, `line ${i + 1} must have ${COLUMNS.length} columns, but it has ${cells.length}`);
    }
    const [name, row, unit, score] = cells as [string, string, string, string];
    const set = GATE_SETS.find((one) => one === name) ?? wrong('set', `one of ${GATE_SETS.join(', ')}`);
    const { rows, length } = layout[set];
    const index = (column: 'row' | 'unit', cell: string, count: number) =>
      /^\d{1,7}$/.test(cell) && Number(cell) < count
        ? Number(cell)
        : wrong(column, `a whole number from 0 to ${count - 1} (the model’s)`);
    const place = index('row', row, rows) * length + index('unit', unit, length);
    const value = NUMBER.test(score) ? Number(score) : Number.NaN;
    if (!Number.isFinite(value)) wrong('score', 'a finite number');
    const list = (values[set] ??= new Float64Array(rows * length).fill(Number.NaN));
    if (!Number.isNaN(list[place]!)) refuse(subject, `line ${i + 1} says again what a line before it says`);
    list[place] = value;
  }
  return { values: complete(values, layout, subject) };
}

const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** @throws InputError that names the first unit without a score */
function complete(
  values: Scores['values'],
  layout: ReturnType<typeof gateLayout>,
  subject: string,
): Scores['values'] {
  const found = Object.entries(values) as [GateSet, Float64Array][];
  if (found.length === 0) refuse(subject, 'must have at least one line of scores');
  for (const [set, list] of found) {
    const missing = list.findIndex((value) => Number.isNaN(value));
    const { length } = layout[set];
    if (missing < 0) continue;
    const place = `row ${Math.floor(missing / length)}, unit ${missing % length}`;
    refuse(subject, `the set ${set} has no line for ${place}: each unit of a set needs one`);
  }
  return values;
}
