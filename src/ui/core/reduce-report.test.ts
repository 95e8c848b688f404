import { describe, expect, it } from 'vitest';
import { resultOf } from '../../evaluation/scoring';
import { choiceTask } from '../../evaluation/testing';
import type { Report } from '../../session/protocol';
import { gateRows } from '../../run/gate-rows';
import { exampleConfig, exampleEvaluation, exampleGates, exampleStarted, exampleStep } from './example-run';
import { findRun, initialState, type LabState } from './lab-state';
import { reduceReport } from './reduce-report';
import { describeProgress } from './status-text';

const exampleTaskResult = () =>
  resultOf(
    choiceTask,
    choiceTask.items.map(({ choices }) => choices.map(() => ({ logLikelihood: -1, greedy: false }))),
    0,
  );
const after = (reports: Report[], state: LabState = initialState()) => reports.reduce(reduceReport, state);
const hardware = { vendor: 'v', architecture: 'a', description: 'GPU', software: false };
const source: Report = { type: 'source', name: 'nano', config: exampleConfig, parameters: 9, card: null };
const ready: Report[] = [{ type: 'device', adapter: hardware }, source, { type: 'status', status: 'ready' }];
const running: Report[] = [
  ...ready,
  { type: 'status', status: 'running' },
  { type: 'events', events: [exampleStarted()] },
];

describe('reports', () => {
  it('opens the engine and the source', () => {
    const state = after(ready);
    expect(state).toMatchObject({ status: 'ready', engine: { state: 'open' }, source: { name: 'nano' } });
    expect(describeProgress(state).text).toBe('Ready');
  });

  it('collects a model’s task results until it is over, and drops them with the source', () => {
    const scores = { id: 4, which: 'source', run: null, progress: null, results: [] } as const;
    const asked: LabState = { ...after(ready), taskScores: [{ ...scores, id: 3 }, scores] };
    const result = exampleTaskResult();
    const going = after(
      [
        { type: 'scoring', id: 4, task: 'Sums', items: 2, totalItems: 9, share: 0.2, secondsLeft: 8 },
        { type: 'scored', id: 4, results: [result], done: false },
        { type: 'scored', id: 99, results: [result], done: true },
      ],
      asked,
    );
    expect(going.taskScores).toEqual([
      { ...scores, id: 3 },
      {
        ...scores,
        progress: { task: 'Sums', items: 2, totalItems: 9, share: 0.2, secondsLeft: 8 },
        results: [result],
      },
    ]);
    const over = after([{ type: 'scored', id: 4, results: [result], done: true }], going);
    expect(over.taskScores[1]).toEqual({ ...scores, results: [result, result] });
    const failed = after([{ type: 'failed', message: 'No.', fatal: false }], going);
    expect(failed.taskScores[1]).toEqual({ ...scores, results: [result] });
    expect(after([source], over).taskScores).toEqual([]);
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
    const local: Report = { type: 'source', name: 'local', config: exampleConfig, parameters: 9, card: null };
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
    const whole = after([...ready, { type: 'events', events }]);
    const single = after([...ready, ...events.map((event): Report => ({ type: 'events', events: [event] }))]);
    expect(single).toEqual(whole);
    const run = findRun(whole, whole.shownRun);
    expect(run).toMatchObject({ id: 1, log: events, gates: gateRows(exampleConfig, exampleGates) });
    expect(run?.steps).toHaveLength(2);
  });

  it('keeps the runs before when another starts', () => {
    const state = after([
      ...running,
      { type: 'events', events: [exampleStep(1), exampleStarted(18), exampleStep(1)] },
    ]);
    expect(state.runs.map((run) => [run.id, run.started.experiment.seed, run.steps.length])).toEqual([
      [1, 17, 1],
      [2, 18, 1],
    ]);
    expect(state).toMatchObject({ currentRun: 2, shownRun: 2 });
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
      { type: 'events', events: steps },
      { type: 'status', status: 'paused' },
    ]);
    expect(describeProgress(paused)).toMatchObject({ text: 'Paused at step 2 of 50', share: 0.04 });
    expect(describeProgress(after([...running, { type: 'status', status: 'finished' }])).text).toBe(
      'Finished',
    );
  });

  it('writes into the generation that was asked for, and no other', () => {
    const asked = { ...after(ready), generation: { id: 3, prompt: 'x', source: null, pruned: null } };
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

  it('ends the writing when it fails', () => {
    const asked = { ...after(ready), generation: { id: 3, prompt: 'x', source: null, pruned: null } };
    const state = after([{ type: 'failed', message: 'No tokenizer.', fatal: false }], asked);
    expect(state.generation).toMatchObject({ source: { done: true }, pruned: { done: true, text: '' } });
  });

  it('a failure that is not fatal leaves the engine open', () => {
    const state = after([...running, { type: 'failed', message: 'Too large.', fatal: false }]);
    expect(state.engine.state).toBe('open');
    expect(state.notices).toMatchObject([{ kind: 'error', text: 'Too large.' }]);
    expect(state.notices[0]).not.toHaveProperty('offer');
  });

  it('a lost device offers to open again; a browser that never had one offers the replay', () => {
    const report: Report = { type: 'failed', message: 'Gone.', fatal: true };
    expect(after([...running, report])).toMatchObject({
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
