import { describe, expect, it } from 'vitest';
import { resultOf } from '../../evaluation/scoring';
import { choiceTask } from '../../evaluation/testing';
import type { Report } from '../../session/protocol';
import { gateRows } from '../../run/gate-rows';
import {
  exampleConfig,
  exampleEvaluation,
  exampleGates,
  exampleKept,
  exampleRuns,
  exampleStarted,
  exampleStep,
} from './example-run';
import { findRun, initialState, type LabState, settingsShown } from './lab-state';
import { chartRows } from './chart-rows';
import { reduceReport } from './reduce-report';
import type { RunRecord } from './run-record';
import { describeProgress } from './status-text';

const exampleTaskResult = () =>
  resultOf(
    choiceTask,
    choiceTask.items.map(({ choices }) => choices.map(() => ({ logLikelihood: -1, greedy: false }))),
    0,
  );
const after = (reports: Report[], state: LabState = initialState()) => reports.reduce(reduceReport, state);
const hardware = { vendor: 'v', architecture: 'a', description: 'GPU', software: false };
const source: Report = {
  type: 'source',
  name: 'nano',
  weightsSha256: null,
  config: exampleConfig,
  parameters: 9,
  card: null,
};
const ready: Report[] = [{ type: 'device', adapter: hardware }, source, { type: 'status', status: 'ready' }];
const running: Report[] = [
  ...ready,
  { type: 'status', status: 'running' },
  { type: 'events', run: 'a', events: [exampleStarted()] },
];

describe('reports', () => {
  it('opens the engine and the source', () => {
    const state = after(ready);
    expect(state).toMatchObject({ status: 'ready', engine: { state: 'open' }, source: { name: 'nano' } });
    expect(describeProgress(state).text).toBe('Ready');
  });

  it('collects a model’s task results, also when its source is opened for it', () => {
    const scores = { id: 4, which: 'source', run: null, results: [] } as const;
    const asked: LabState = {
      ...after(ready),
      taskScores: [{ ...scores, id: 3 }, scores],
      jobs: [{ id: 4, kind: 'scoreTasks', progress: null }],
    };
    const result = exampleTaskResult();
    const going = after(
      [
        { type: 'progress', id: 4, what: 'Sums, item 2 of 9', share: 0.2, secondsLeft: 8 },
        { type: 'scored', id: 4, results: [result] },
        { type: 'scored', id: 99, results: [result] },
      ],
      asked,
    );
    expect(going.taskScores).toEqual([
      { ...scores, id: 3 },
      { ...scores, results: [result] },
    ]);
    expect(going.jobs[0]?.progress).toEqual({ what: 'Sums, item 2 of 9', share: 0.2, secondsLeft: 8 });
    expect(describeProgress(going).text).toBe('Tasks: Sums, item 2 of 9, 8 s left');
    expect(after([source], going).taskScores).toEqual([{ ...scores, results: [result] }]);
    const over = after([{ type: 'jobEnded', id: 4 }], going);
    expect(over.jobs).toEqual([]);
    expect(after([source], over).taskScores).toEqual([]);
  });

  it('has the scores of the source that is open, and of no other', () => {
    const scored = (name: string): Report => ({
      type: 'unitScores',
      id: 1,
      source: name,
      weightsSha256: null,
      experiment: initialState().experiment,
      scores: { values: { layer: Float64Array.of(1, 2) } },
    });
    const state = after([scored('nano')], after(ready));
    expect(state.unitScores).toMatchObject({ source: 'nano', scores: { values: {} } });
    expect(after([source], state).unitScores).toBe(state.unitScores);
    expect(after([scored('micro')], state).unitScores).toBe(state.unitScores);
    expect(after([{ ...source, name: 'micro' }], state).unitScores).toBeNull();
  });

  it('opens a second source on the same device', () => {
    const opening: LabState = { ...after(ready), engine: { state: 'opening', adapter: hardware } };
    expect(after([source], opening).engine).toEqual({ state: 'open', adapter: hardware });
  });

  it('keeps the source that is open when another does not open', () => {
    const open = after(ready);
    const opening: LabState = {
      ...open,
      status: 'loading',
      engine: { state: 'opening', adapter: hardware },
      experiment: { ...open.experiment, source: 'other' },
    };
    const state = after(
      [
        { type: 'failed', message: 'models/other/config.json could not be loaded.', fatal: false },
        { type: 'status', status: 'ready' },
      ],
      opening,
    );
    expect(state).toMatchObject({
      status: 'ready',
      engine: { state: 'open' },
      source: { name: 'nano' },
      experiment: { source: 'nano' },
    });
    const local: Report = { ...source, name: 'local' };
    expect(after([local], opening).experiment.source).toBe('local');
  });

  it('says once that an adapter is software', () => {
    const report: Report = { type: 'device', adapter: { ...hardware, software: true } };
    const state = after([report, report]);
    expect(state.notices).toHaveLength(1);
    expect(state.notices[0]?.text).toMatch(/software adapter .*not a GPU’s/);
  });

  it('gathers the events of a run, whatever the batches', () => {
    const events = [
      exampleStarted(),
      exampleStep(1),
      exampleGates,
      exampleStep(2),
      exampleEvaluation(2, [1, 2], [0.5, 0.5]),
    ];
    const whole = after([...ready, { type: 'events', run: 'a', events }]);
    const single = after([
      ...ready,
      ...events.map((event): Report => ({ type: 'events', run: 'a', events: [event] })),
    ]);
    const told = (state: LabState) => {
      const [{ steps, ...record }] = state.records as [RunRecord];
      const rows = chartRows({ steps, ...record }, null, { range: null, smoothing: 0.5, xAxis: 'step' });
      return { ...state, records: [record], rows };
    };
    expect(told(single)).toEqual(told(whole));
    const run = findRun(whole, whole.shownRun);
    expect(run).toMatchObject({ id: 'a', gates: gateRows(exampleConfig, exampleGates) });
    expect(run?.steps.length).toBe(2);
  });

  it('shows a run that begins, and reads one that was asked for beside it', () => {
    const other: Report = { type: 'events', run: 'b', events: [exampleStarted(18), exampleStep(1)] };
    const begun = after([other], after(running));
    expect(begun).toMatchObject({ currentRun: 'b', shownRun: 'b' });
    expect(begun.records.map((run) => [run.id, run.started.experiment.seed, run.steps.length])).toEqual([
      ['a', 17, 0],
      ['b', 18, 1],
    ]);
    const read = after([other], { ...after(running), reading: ['b'] });
    expect(read).toMatchObject({ currentRun: 'a', shownRun: 'a', reading: [] });
    expect(findRun(read, 'b')?.steps.length).toBe(1);
  });

  it('begins the record of a run anew that goes on from a checkpoint', () => {
    const lost = after([
      ...running,
      { type: 'events', run: 'a', events: [exampleStep(1), exampleStep(2), exampleStep(3)] },
    ]);
    const again = after([{ type: 'events', run: 'a', events: [exampleStarted(), exampleStep(1)] }], lost);
    expect(findRun(again, 'a')?.steps).toMatchObject({ length: 1, newest: { step: 1 } });
    expect(again.records).toHaveLength(1);
  });

  it('shows what was asked for until the log says it, or that it cannot be', () => {
    const asked: LabState = { ...after(running), pending: { clipNorm: 2, 'evaluation.interval': 5 } };
    expect(settingsShown(asked)).toMatchObject({ clipNorm: 2, evaluation: { interval: 5 } });
    const taken: Report = {
      type: 'events',
      run: 'a',
      events: [
        {
          type: 'intervention',
          step: 0,
          tokens: 0,
          elapsedMs: 0,
          changes: { clipNorm: 2 },
          before: { clipNorm: 1 },
        },
      ],
    };
    const next = after([taken], asked);
    expect(next.pending).toEqual({ 'evaluation.interval': 5 });
    expect(settingsShown(next)).toMatchObject({ clipNorm: 2, evaluation: { interval: 5 } });
    const refused = after([{ type: 'failed', message: 'Not after the cut.', fatal: false }], next);
    expect(settingsShown(refused)).toMatchObject({ clipNorm: 2, evaluation: { interval: 20 } });
  });

  it('drops what is deleted, but never the run that goes on', () => {
    const listed = after([exampleRuns(exampleKept('a'), exampleKept('b'))], {
      ...after(running),
      shownRun: 'b',
      overlaidRun: 'b',
    });
    expect(listed.kept?.runs[0]?.plan?.experiment.seed).toBe(17);
    expect(after([exampleRuns()], listed)).toMatchObject({
      shownRun: null,
      overlaidRun: null,
      currentRun: 'a',
    });
    expect(after([exampleRuns()], listed).records.map(({ id }) => id)).toEqual(['a']);
  });

  it('counts steps through the whole run, and other work by its share', () => {
    const activity = (what: string, done: number): Report => ({
      type: 'activity',
      what,
      done,
      total: 50,
      secondsLeft: 40,
    });
    const text = (report: Report) => describeProgress(after([...running, report])).text;
    expect(text(activity('Pruning', 12))).toBe('Pruning, step 12 of 50, 40 s left');
    expect(text(activity('Retraining', 32))).toBe('Retraining, step 32 of 50, 40 s left');
    expect(text(activity('Evaluating the source model', 3))).toBe(
      'Evaluating the source model, 6 %, 40 s left in all',
    );
    const pausing = { ...after([...running, activity('Pruning', 12)]), pausing: true };
    expect(describeProgress(pausing).text).toBe(
      'Pausing when this is done: Pruning, step 12 of 50, 40 s left',
    );
    expect(after([{ type: 'status', status: 'paused' }], pausing).pausing).toBe(false);
    const steps = [exampleStep(1), exampleStep(2)];
    const paused = after([
      ...running,
      { type: 'events', run: 'a', events: steps },
      { type: 'status', status: 'paused' },
    ]);
    expect(describeProgress(paused)).toMatchObject({ text: 'Paused at step 2 of 50', share: 0.04 });
    expect(describeProgress(after([...running, { type: 'status', status: 'finished' }])).text).toBe(
      'Finished',
    );
  });

  it('writes into the generation that was asked for, and no other', () => {
    const asked = {
      ...after(ready),
      generation: { id: 3, run: null, prompt: 'x', source: null, pruned: null },
    };
    const report = (id: number): Report => ({
      type: 'generated',
      id,
      which: 'source',
      text: 'y',
      done: false,
      tokensPerSecond: 5,
    });
    expect(after([report(2)], asked).generation?.source).toBeNull();
    expect(after([report(3)], asked).generation?.source).toMatchObject({ text: 'y', done: false });
  });

  it('a failure that is not fatal leaves the engine open', () => {
    const state = after([...running, { type: 'failed', message: 'Too large.', fatal: false }]);
    expect(state.engine.state).toBe('open');
    expect(state.notices).toMatchObject([{ kind: 'error', text: 'Too large.' }]);
    expect(state.notices[0]).not.toHaveProperty('offer');
  });

  it('a lost device offers to open again; a browser that never had one offers the replay', () => {
    const report: Report = { type: 'failed', message: 'Gone.', fatal: true };
    expect(
      after([report], { ...after(running), jobs: [{ id: 1, kind: 'generate', progress: null }] }),
    ).toMatchObject({
      jobs: [],
      status: 'failed',
      currentRun: null,
      engine: { state: 'lost' },
      notices: [{ offer: 'reopen' }],
    });
    expect(after([report])).toMatchObject({ engine: { state: 'missing' }, notices: [{ offer: 'replay' }] });
    const refused: Report[] = [
      { type: 'failed', message: 'No adapter.', fatal: false },
      { type: 'status', status: 'failed' },
    ];
    expect(after(refused).engine.state).toBe('missing');
  });
});
