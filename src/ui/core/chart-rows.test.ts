import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chartRows, MAX_ROWS } from './chart-rows';
import { exampleEvaluation, exampleStarted, exampleStep } from './example-run';
import { appendEvents, beginRun } from './run-record';

const whole = { range: null, smoothing: 0, xAxis: 'step' } as const;
const steps = (count: number) => Array.from({ length: count }, (_, i) => exampleStep(i + 1));

describe('chart rows', () => {
  it('starts with the source: reference losses and the first mixture', () => {
    const [row] = chartRows(beginRun('1', exampleStarted()), null, whole);
    expect(row).toMatchObject({ step: 0, held0: 3, held1: 2, mixture0: 0.75, mixture1: 0.25 });
  });

  it('puts an evaluation on its own step and carries its mixture on', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), [
      ...steps(3),
      exampleEvaluation(2, [5, 6], [0.4, 0.6]),
    ]);
    const rows = chartRows(run, null, whole);
    expect(rows.map((row) => row.step)).toEqual([0, 1, 2, 3]);
    expect(rows.map((row) => row['held0'])).toEqual([3, undefined, 5, undefined]);
    expect(rows.map((row) => row['last0'])).toEqual([3, 3, 5, 5]);
    expect(rows.map((row) => row['lastStep'])).toEqual([0, 0, 2, 2]);
    expect(rows.map((row) => row['mixture0'])).toEqual([0.75, 0.75, 0.4, 0.4]);
    expect(rows[2]).toMatchObject({ tokens: 200, seconds: 0.1, expected_head: 0.02, lambda1_head: -2 });
  });

  it('has the divergence of the steps that a teacher was at', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), [
      exampleStep(1),
      { ...exampleStep(2), divergence: 0.25 },
    ]);
    expect(chartRows(run, null, whole).map((row) => row['divergence'])).toEqual([undefined, undefined, 0.25]);
  });

  it('measures tokens a second between steps', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), steps(20));
    expect(chartRows(run, null, whole).at(-1)?.['tokensPerSecond']).toBeCloseTo(2000, 6);
  });

  it('smooths training losses over gaps, and only those', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), [
      exampleStep(1, [4, null]),
      exampleStep(2, [null, 2]),
      exampleStep(3, [8, 4]),
    ]);
    const rows = chartRows(run, null, { ...whole, smoothing: 0.5 });
    expect(rows.map((row) => row['trained0'])).toEqual([undefined, 4, 4, 6]);
    expect(rows.map((row) => row['trained1'])).toEqual([undefined, undefined, 2, 3]);
    const raw = chartRows(run, null, whole);
    expect(raw.map((row) => row['trained0'])).toEqual([undefined, 4, undefined, 8]);
  });

  it('draws another run over this one at the same steps, also behind its end, domain by domain', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), steps(4));
    const started = { ...exampleStarted(), domains: ['code', 'books'], referenceLoss: [20, 30] };
    const other = appendEvents(beginRun('2', started), [
      ...steps(6),
      exampleEvaluation(3, [9, 8], [0.5, 0.5]),
      exampleEvaluation(6, [7, 6], [0.5, 0.5]),
    ]);
    const rows = chartRows(run, other, whole);
    const drawn = rows.flatMap(({ step, other0, other1 }) =>
      other0 === undefined ? [] : [[step, other0, other1]],
    );
    expect(drawn).toEqual([
      [0, 30, 20],
      [3, 8, 9],
      [6, 6, 7],
    ]);
    expect(rows.map((row) => row['otherLast0'])).toEqual([30, 30, 30, 8, 8, 6]);
  });

  it('says nothing of another run behind its end', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), steps(4));
    const other = appendEvents(beginRun('2', exampleStarted()), [
      ...steps(2),
      exampleEvaluation(2, [9, 8], [0.5, 0.5]),
    ]);
    const rows = chartRows(run, other, whole);
    expect(rows.map((row) => row['otherLast0'])).toEqual([3, 3, 9, undefined, undefined]);
  });

  it('places another run by its own time on the axis of seconds, in order', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), steps(4));
    const slow = { ...exampleEvaluation(2, [9, 8], [0.5, 0.5]), elapsedMs: 175 };
    const other = appendEvents(beginRun('2', exampleStarted()), [...steps(2), slow]);
    const rows = chartRows(run, other, { ...whole, xAxis: 'seconds' });
    expect(rows.map((row) => [row.seconds, row['other0']])).toEqual([
      [0, 3],
      [0.05, undefined],
      [0.1, undefined],
      [0.15, undefined],
      [0.175, 9],
      [0.2, undefined],
    ]);
  });

  it('zooms: nothing outside of the range, and the mixture that held before it', () => {
    const run = appendEvents(beginRun('1', exampleStarted()), [
      ...steps(40),
      exampleEvaluation(10, [5, 5], [0.1, 0.9]),
    ]);
    const rows = chartRows(run, null, { ...whole, range: [20, 30] });
    expect(rows[0]).toMatchObject({ step: 20, mixture0: 0.1, last0: 5, lastStep: 10 });
    expect(rows.at(-1)?.step).toBe(30);
  });

  it('never gives more rows than charts can show, keeps their order and drops no evaluation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 400 }), (count, interval) => {
        const evaluations = [];
        for (let step = interval; step <= count; step += interval) {
          evaluations.push(exampleEvaluation(step, [step, 1], [0.5, 0.5]));
        }
        const run = appendEvents(beginRun('1', exampleStarted()), [...steps(count), ...evaluations]);
        const rows = chartRows(run, null, whole);
        expect(rows.length).toBeLessThanOrEqual(MAX_ROWS + 1);
        expect(rows.every((row, i) => i === 0 || row.step > (rows[i - 1]?.step ?? -1))).toBe(true);
        expect(rows.at(-1)?.step).toBe(count);
        const last = evaluations.at(-1);
        if (last) expect(rows.at(-1)?.['last0']).toBe(last.step);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps every spike of a run that is much longer than a chart is wide', () => {
    const events = steps(20_000);
    events[12_345] = { ...events[12_345]!, loss: 40 };
    events[777] = { ...events[777]!, loss: 0.25 };
    const rows = chartRows(appendEvents(beginRun('a', exampleStarted()), events), null, whole);
    const losses = rows.flatMap(({ loss }) => loss ?? []);
    expect([Math.max(...losses), Math.min(...losses)]).toEqual([40, 0.25]);
    const near = rows.find(({ loss }) => loss === 40)!.step;
    expect(Math.abs(near - 12_346)).toBeLessThan(20_000 / 145);
    expect(rows[1]).toMatchObject({ step: 1, expected_head: 0.01 });
    expect(rows.at(-1)).toMatchObject({ step: 20_000, tokens: 2_000_000, expected_head: 200 });
  });

  it('smooths a run that grows as it would the whole', () => {
    const events = Array.from({ length: 900 }, (_, i) => exampleStep(i + 1, [Math.sin(i), i % 3 ? 1 : null]));
    const view = { ...whole, smoothing: 0.9 };
    const grown = beginRun('a', exampleStarted());
    let run = grown;
    for (let i = 0; i < events.length; i += 100) {
      run = appendEvents(run, events.slice(i, i + 100));
      chartRows(run, null, view);
    }
    const once = appendEvents(beginRun('b', exampleStarted()), events);
    expect(chartRows(run, null, view)).toEqual(chartRows(once, null, view));
  });
});
