import type { EvaluationEvent, StepEvent } from '../../run/events';
import { GATE_SETS } from './gate-sets';
import type { RunRecord } from './run-record';

/** More points than this on one line are invisible and only cost time. */
export const MAX_ROWS = 300;

/**
 * One place on the shared x axis. All charts get the same rows, so that one crosshair serves them all.
 * Keys of values: `held0…` held-out loss by domain (only where it was measured), `last0…` the newest of those at
 * this place and `lastStep` the step that it is of, `trained0…` training loss, `mixture0…`, and by gate set
 * `expected_head`, `target_head`, `lambda1_head`, `lambda2_head`. Of the overlaid run `other0…`, `otherLast0…`.
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

/** Rows of at most `limit` places: a bucket of steps shows its last one, evaluations are never dropped. */
export function chartRows(
  run: RunRecord,
  overlaid: RunRecord | null,
  view: ChartView,
  limit = MAX_ROWS,
): ChartRow[] {
  const last = Math.max(run.steps.at(-1)?.step ?? 0, overlaid?.steps.at(-1)?.step ?? 0);
  const [first, end] = view.range ?? [0, Math.max(last, 1)];
  const bucket = Math.max(1, Math.ceil((end - first + 1) / limit));
  const rows = new Map<number | string, ChartRow>();
  const place = (step: number) => Math.floor((step - first) / bucket);

  let before: StepEvent | null = null;
  let bucketStart: StepEvent | null = null;
  let openBucket = -1;
  const smooth = smoother(run.started.domains.length, view.smoothing);
  for (const step of run.steps) {
    const trained = smooth(step.domainLoss);
    if (step.step >= first && step.step <= end) {
      const key = place(step.step);
      if (key !== openBucket) {
        openBucket = key;
        bucketStart = before;
      }
      rows.set(key, stepRow(step, trained, speedSince(bucketStart, step, run.steps)));
    }
    before = step;
  }

  let mixture = run.started.mixture;
  let held = run.started.referenceLoss;
  let heldStep = 0;
  const evaluations = new Map<number, EvaluationEvent>();
  for (const evaluation of run.evaluations) {
    if (evaluation.step < first) {
      mixture = evaluation.mixture;
      held = evaluation.loss;
      heldStep = evaluation.step;
    } else if (evaluation.step <= end) evaluations.set(place(evaluation.step), evaluation);
  }
  if (first === 0) {
    // Before the first step stands the untouched source: its losses are the reference losses.
    rows.set(-1, put({ step: 0, tokens: 0, seconds: 0 }, 'held', run.started.referenceLoss));
  }
  for (const [key, evaluation] of evaluations) {
    const row = rows.get(key) ?? {
      step: evaluation.step,
      tokens: evaluation.tokens,
      seconds: evaluation.elapsedMs / 1000,
    };
    rows.set(key, put(row, 'held', evaluation.loss));
  }
  const ordered = [...rows.entries()].sort(([, a], [, b]) => a.step - b.step);
  for (const [key, row] of ordered) {
    // An evaluation's mixture holds from the next step on; it is drawn from its own step, as a stair.
    const evaluation = evaluations.get(Number(key));
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
  }: { first: number; end: number; place(step: number): number; xAxis: ChartView['xAxis'] },
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
  const newest = other.steps.at(-1);
  const ends = newest ? { ...newest, seconds: newest.elapsedMs / 1000 }[xAxis] : 0;
  for (const row of [...rows.values()].sort((a, b) => a[xAxis] - b[xAxis])) {
    if (row[xAxis] > ends) break;
    last = last.map((before, index) => row[`other${index}`] ?? before);
    put(row, 'otherLast', last);
  }
}

function stepRow(
  step: StepEvent,
  trained: readonly (number | undefined)[],
  speed: number | undefined,
): ChartRow {
  const row: ChartRow = {
    step: step.step,
    tokens: step.tokens,
    seconds: step.elapsedMs / 1000,
    loss: step.loss,
    tokensPerSecond: speed,
  };
  put(row, 'trained', trained);
  for (const set of GATE_SETS) {
    const value = step.sparsity?.[set];
    if (!value) continue;
    row[`expected_${set}`] = value.expected;
    row[`target_${set}`] = value.target;
    row[`lambda1_${set}`] = value.lambda1;
    row[`lambda2_${set}`] = value.lambda2;
  }
  return row;
}

function put(row: ChartRow, prefix: string, values: readonly (number | undefined)[]): ChartRow {
  values.forEach((value, index) => {
    if (value !== undefined) row[`${prefix}${index}`] = value;
  });
  return row;
}

/** Tokens a second over at least the eight steps that end here: single steps jitter by what else runs. */
function speedSince(
  bucketStart: StepEvent | null,
  step: StepEvent,
  steps: readonly StepEvent[],
): number | undefined {
  const back = steps[Math.max(0, step.step - 1 - 8)];
  const from = back && bucketStart && back.step < bucketStart.step ? back : (bucketStart ?? back);
  if (!from || from.step >= step.step) return undefined;
  const seconds = (step.elapsedMs - from.elapsedMs) / 1000;
  return seconds > 0 ? (step.tokens - from.tokens) / seconds : undefined;
}

/** Exponential running mean by domain that starts at the first value it meets; gaps leave it as it is. */
function smoother(domains: number, weight: number) {
  const means = new Array<number | undefined>(domains).fill(undefined);
  return (values: readonly (number | null)[]): (number | undefined)[] =>
    values.map((value, index) => {
      if (value === null) return weight > 0 ? means[index] : undefined;
      const mean = means[index];
      return (means[index] = mean === undefined ? value : weight * mean + (1 - weight) * value);
    });
}
