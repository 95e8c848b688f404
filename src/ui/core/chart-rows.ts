import type { EvaluationEvent } from '../../run/events';
import { type RunRecord, stepOf } from './run-record';
import { firstAtLeast, type Series } from './series';
import { indicesOf, smoothedLosses, type StepColumns } from './step-columns';

/** More points than this on one line are invisible and only cost time. */
export const MAX_ROWS = 300;

/**
 * One place on the shared x axis. All charts get the same rows, so that one crosshair serves them all.
 * Keys of values: `held0…` held-out loss by domain (only where it was measured), `last0…` the newest of those at
 * this place and `lastStep` the step that it is of, `trained0…` training loss, `divergence` of the batch from the
 * source where that teaches, `mixture0…`, and by gate set `expected_head`, `target_head`, `lambda1_head`,
 * `lambda2_head`. Of the overlaid run `other0…`, `otherLast0…`.
 */
export interface ChartRow {
  step: number;
  tokens: number;
  seconds: number;
  [key: string]: number | undefined;
}

export interface ChartView {
  /** First and last step shown; null: the whole run. */
  range: readonly [number, number] | null;
  /** Weight of the past in the running mean of training losses, 0…0.99. */
  smoothing: number;
  /** Where a row stands; the overlaid run is placed by its own. */
  xAxis: 'step' | 'tokens' | 'seconds';
}

/**
 * Rows of at most `limit` places. Where steps outnumber them, a bucket of steps has two: the least and the greatest
 * value of each line in the order in which they came, so that no spike is lost; the first and the newest step keep
 * their own. The newest evaluation of every bucket is shown. What is visited grows with the rows, not with the run.
 */
export function chartRows(
  run: RunRecord,
  overlaid: RunRecord | null,
  view: ChartView,
  limit = MAX_ROWS,
): ChartRow[] {
  const last = Math.max(stepOf(run), overlaid ? stepOf(overlaid) : 0);
  const [first, end] = view.range ?? [0, Math.max(last, 1)];
  const { rows, place } = stepRows(run, view, { first, end, limit });
  const { started, evaluations } = run;

  const from = evaluationAfter(evaluations, first - 1);
  const before = evaluations[from - 1];
  let mixture = before?.mixture ?? started.mixture;
  let held = before?.loss ?? started.referenceLoss;
  let heldStep = before?.step ?? 0;
  if (first === 0) {
    // Before the first step stands the untouched source: its losses are the reference losses.
    rows.set(-1, put({ step: 0, tokens: 0, seconds: 0 }, 'held', started.referenceLoss));
  }
  const shown = new Map<number | string, EvaluationEvent>();
  for (let i = from; i < evaluations.length && evaluations[i]!.step <= end;) {
    const key = place(evaluations[i]!.step);
    // The newest of those with one place.
    while (
      i + 1 < evaluations.length &&
      evaluations[i + 1]!.step <= end &&
      place(evaluations[i + 1]!.step) === key
    )
      i++;
    const evaluation = evaluations[i++]!;
    const { step, tokens, elapsedMs, loss } = evaluation;
    const row = rows.get(key) ?? { step, tokens, seconds: elapsedMs / 1000 };
    rows.set(key, put(row, 'held', loss));
    shown.set(key, evaluation);
  }
  const ordered = [...rows.entries()].sort(([, a], [, b]) => a.step - b.step);
  for (const [key, row] of ordered) {
    // An evaluation's mixture holds from the next step on; it is drawn from its own step, as a stair.
    const evaluation = shown.get(key);
    mixture = evaluation?.mixture ?? mixture;
    put(row, 'mixture', mixture);
    held = evaluation?.loss ?? held;
    heldStep = evaluation?.step ?? heldStep;
    put(row, 'last', held);
    row['lastStep'] = heldStep;
  }
  if (overlaid) overlay(rows, run, overlaid, { first, end, place, xAxis: view.xAxis });
  return [...rows.values()].sort((a, b) => a[view.xAxis] - b[view.xAxis]);
}

/** Index of the first evaluation after a step. */
function evaluationAfter(evaluations: readonly EvaluationEvent[], step: number): number {
  return firstAtLeast({ length: evaluations.length, at: (i) => evaluations[i]!.step }, step + 1);
}

interface Steps {
  rows: Map<number | string, ChartRow>;
  /** The key of the row at which something of this step is drawn. */
  place(step: number): number | string;
}

type BucketRows = readonly (readonly [number | string, ChartRow])[];

const buckets = new WeakMap<StepColumns, { view: string; rows: Map<number, BucketRows> }>();

/** Rows of buckets that are full, as they were drawn last: a redraw costs what is new. */
function completeBuckets(steps: StepColumns, view: string): Map<number, BucketRows> {
  const known = buckets.get(steps);
  if (known?.view === view) return known.rows;
  const rows = new Map<number, BucketRows>();
  buckets.set(steps, { view, rows });
  return rows;
}

function stepRows(
  run: RunRecord,
  { smoothing }: ChartView,
  { first, end, limit }: { first: number; end: number; limit: number },
): Steps {
  const { steps } = run;
  const rows = new Map<number | string, ChartRow>();
  const domains = run.started.domains.length;
  const trained = smoothedLosses(steps, domains, smoothing);
  const drawn = [...steps.drawn].map(
    ([key, series]) => [key, trained[Number(/^trained(\d+)$/.exec(key)?.[1] ?? NaN)] ?? series] as const,
  );
  const [from, to] = indicesOf(steps, first, end);
  let previous = from;
  const add = (key: number | string, index: number, valueOf: (series: Series) => number) => {
    const row: ChartRow = {
      step: steps.step.at(index),
      tokens: steps.tokens.at(index),
      seconds: steps.elapsedMs.at(index) / 1000,
      tokensPerSecond: speedUpTo(steps, index, previous),
    };
    for (const [name, series] of drawn) {
      const value = valueOf(series);
      if (!Number.isNaN(value)) row[name] = value;
    }
    previous = index;
    rows.set(key, row);
  };
  const exact = (index: number) => (series: Series) => series.at(index);

  if (end - first + 1 <= limit) {
    for (let i = from; i <= to; i++) add(steps.step.at(i) - first, i, exact(i));
    return { rows, place: (step) => step - first };
  }
  const size = Math.ceil((end - first + 1) / Math.floor((limit - 2) / 2));
  const bucketOf = (step: number) => Math.floor((step - first) / size);
  const newest = to >= from ? steps.step.at(to) : -1;
  if (from < to) add('first', from, exact(from));
  const complete = completeBuckets(steps, `${first} ${size} ${smoothing}`);
  for (let a = from + 1; a < to;) {
    const bucket = bucketOf(steps.step.at(a));
    const b = Math.min(to - 1, firstAtLeast(steps.step, first + (bucket + 1) * size) - 1);
    const known = complete.get(bucket);
    if (known) for (const [key, row] of known) rows.set(key, { ...row });
    else {
      const extremes = new Map(drawn.map(([, series]) => [series, series.extremes(a, b)]));
      const pick = (which: 'min' | 'max') => (series: Series) => {
        const found = extremes.get(series);
        return found ? series.at(Math[which](found.least, found.greatest)) : NaN;
      };
      const keys = b > a ? [`${bucket} before`, bucket] : [bucket];
      if (b > a) add(`${bucket} before`, (a + b) >> 1, pick('min'));
      add(bucket, b, pick('max'));
      // The next step is of another bucket: this one will not change any more.
      if (b < to - 1)
        complete.set(
          bucket,
          keys.map((key) => [key, { ...rows.get(key)! }] as const),
        );
    }
    previous = b;
    a = b + 1;
  }
  if (to >= from) add('newest', to, exact(to));
  return { rows, place: (step) => (step === newest ? 'newest' : bucketOf(step)) };
}

/**
 * Puts the held-out losses of another run where that run had them: on this run's row of the same step, or on the
 * time and token axes, which differ between runs, and behind this run's end on rows of their own.
 */
function overlay(
  rows: Map<number | string, ChartRow>,
  run: RunRecord,
  other: RunRecord,
  {
    first,
    end,
    place,
    xAxis,
  }: { first: number; end: number; place(step: number): number | string; xAxis: ChartView['xAxis'] },
): void {
  const { referenceLoss, domains } = other.started;
  /** Losses in this run's order of domains. */
  const inOrder = (loss: readonly number[]) =>
    run.started.domains.map((domain) => loss[domains.indexOf(domain)]);
  const start = { step: 0, tokens: 0, elapsedMs: 0, loss: referenceLoss };
  for (const { step, tokens, elapsedMs, loss } of [start, ...other.evaluations]) {
    if (step < first || step > end) continue;
    const shared = rows.get(step === 0 ? -1 : place(step));
    const row =
      shared && (xAxis === 'step' || step === 0) ? shared : { step, tokens, seconds: elapsedMs / 1000 };
    put(row, 'other', inOrder(loss));
    if (row !== shared) rows.set(`other ${place(step)}`, row);
  }
  let last = inOrder(referenceLoss);
  const { newest } = other.steps;
  const ends = newest ? { ...newest, seconds: newest.elapsedMs / 1000 }[xAxis] : 0;
  for (const row of [...rows.values()].sort((a, b) => a[xAxis] - b[xAxis])) {
    if (row[xAxis] > ends) break;
    last = last.map((before, index) => row[`other${index}`] ?? before);
    put(row, 'otherLast', last);
  }
}

function put(row: ChartRow, prefix: string, values: readonly (number | undefined)[]): ChartRow {
  values.forEach((value, index) => {
    if (value !== undefined) row[`${prefix}${index}`] = value;
  });
  return row;
}

/** Tokens a second since the row before, but over at least eight steps: single ones jitter by what else runs. */
function speedUpTo({ tokens, elapsedMs }: StepColumns, index: number, previous: number): number | undefined {
  const from = Math.max(0, Math.min(previous, index - 8));
  const seconds = (elapsedMs.at(index) - elapsedMs.at(from)) / 1000;
  return seconds > 0 ? (tokens.at(index) - tokens.at(from)) / seconds : undefined;
}
