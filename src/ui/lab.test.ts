import { describe, expect, it, vi } from 'vitest';
import { defaultExperiment } from '../experiment/schema';
import type { Command, Report } from '../session/protocol';
import type { LlamaConfig } from '../llama/config';
import { exampleConfig, exampleKept, exampleRuns, exampleStarted, exampleStep } from './core/example-run';
import { settingsShown } from './core/lab-state';
import { fixedBecause } from './core/live-fields';
import { createLab } from './lab';

function setUp() {
  const posted: Command[] = [];
  const listeners: ((event: Event) => void)[] = [];
  let workers = 0;
  const lab = createLab(
    () => {
      workers++;
      listeners.length = 0;
      return {
        postMessage: (message) => void posted.push(message as Command),
        terminate: () => undefined,
        addEventListener: (type, listener) => void (type === 'message' && listeners.push(listener)),
      };
    },
    'https://lab.example/',
    {
      experiment: { ...defaultExperiment(), target: { ...defaultExperiment().target, hiddenSize: 6 } },
      interventions: [],
    },
  );
  const say = async (...reports: Report[]) => {
    for (const data of reports)
      listeners.forEach((listener) => listener(new MessageEvent('message', { data })));
    // Reports arrive in batches, a moment later.
    await vi.waitFor(() => expect(lab.store.getState().status).toBe(lastStatus(reports)));
  };
  const said = () => posted.filter(({ type }) => type !== 'listRuns');
  const types = () => said().map((command): string => command.type);
  return { lab, posted: said, say, types, workers: () => workers };
}

const lastStatus = (reports: Report[]) =>
  reports.findLast((report) => report.type === 'status')?.status ?? 'failed';
const source = (name: string, config: LlamaConfig = exampleConfig): Report => ({
  type: 'source',
  name,
  weightsSha256: null,
  config,
  parameters: 9,
  card: null,
});
const ready: Report[] = [
  { type: 'device', adapter: { vendor: '', architecture: '', description: '', software: false } },
  source('nano'),
  { type: 'status', status: 'ready' },
];

describe('lab', () => {
  it('opens the source model of the experiment', () => {
    const { lab, posted } = setUp();
    lab.openSource();
    expect(posted()).toEqual([{ type: 'open', source: 'nano', baseUrl: 'https://lab.example/' }]);
    expect(lab.store.getState()).toMatchObject({ status: 'loading', engine: { state: 'opening' } });
  });

  it('takes the usual target of a model that was chosen, and keeps the one that a link gives', async () => {
    const { lab, posted, say } = setUp();
    const target = () => lab.store.getState().experiment.target;
    lab.openSource();
    await say(...ready);
    expect(target().hiddenSize).toBe(6);
    lab.chooseSource('other');
    expect(posted().at(-1)).toMatchObject({ type: 'open', source: 'other' });
    const other = { ...exampleConfig, hiddenSize: 400, numHiddenLayers: 12 };
    await say(source('other', other), ready[2]!);
    expect(target()).toMatchObject({ hiddenSize: 300, numHiddenLayers: 8 });
    lab.chooseSource(null);
    expect(posted().at(-1)).toMatchObject({ type: 'open', source: null });
  });

  it('keeps a Prune that was pressed too early until the model is open, once', async () => {
    const { lab, say, types, posted } = setUp();
    lab.openSource();
    lab.prune();
    lab.prune();
    expect(types()).toEqual(['open']);
    await say(...ready);
    expect(types()).toEqual(['open', 'start']);
    expect(posted()[1]).toMatchObject({ plan: { experiment: { target: { hiddenSize: 6 } } } });
    await say({ type: 'status', status: 'ready' });
    expect(types()).toEqual(['open', 'start']);
  });

  it('steps a run that is going, and starts one where there is none', async () => {
    const { lab, say, types } = setUp();
    lab.openSource();
    await say(...ready);
    lab.step();
    expect(types()).toEqual(['open', 'start', 'step']);
    await say({ type: 'events', run: 'a', events: [exampleStarted()] }, { type: 'status', status: 'paused' });
    lab.step();
    expect(types()).toEqual(['open', 'start', 'step', 'step']);
  });

  it('opens a new worker after a lost device when Prune is pressed', async () => {
    const { lab, say, types, workers } = setUp();
    lab.openSource();
    await say(...ready);
    await say({ type: 'failed', message: 'The device was lost.', fatal: true });
    lab.prune();
    expect(types()).toEqual(['open', 'open']);
    expect(workers()).toBe(2);
    await say(...ready);
    expect(types()).toEqual(['open', 'open', 'start']);
  });

  it('gives a dimension back its size when its gates are switched off', async () => {
    const { lab, say } = setUp();
    lab.openSource();
    await say(...ready);
    lab.setField('gates.hidden', false);
    const { experiment } = lab.store.getState();
    expect(experiment.gates.hidden).toBe(false);
    expect(experiment.target.hiddenSize).toBe(exampleConfig.hiddenSize);
  });

  it('numbers what it asks for, and cancels the writing that goes on', async () => {
    const { lab, say, posted } = setUp();
    lab.openSource();
    await say(...ready);
    const settings = { prompt: 'a', maxTokens: 4, temperature: 0, seed: 1 };
    lab.generate(settings);
    lab.generate(settings);
    expect(posted().slice(1)).toEqual([
      { type: 'generate', id: 1, run: null, ...settings },
      { type: 'cancel', id: 1 },
      { type: 'generate', id: 2, run: null, ...settings },
    ]);
  });

  it('refuses a folder without a configuration before it reads anything', async () => {
    const { lab, posted } = setUp();
    await lab.openFiles([new File(['x'], 'holiday.jpg')]);
    expect(posted()).toEqual([]);
    expect(lab.store.getState().notices[0]?.text).toMatch(/no config\.json/);
  });

  it('says that the engine is silent, and opens a fresh one when Reset goes unanswered', async () => {
    const { lab, say, types, workers } = setUp();
    lab.openSource();
    await say(...ready);
    vi.useFakeTimers();
    try {
      lab.prune();
      lab.reset();
      // The worker of this test answers nothing.
      vi.advanceTimersByTime(31_000);
    } finally {
      vi.useRealTimers();
    }
    expect(workers()).toBe(2);
    expect(types().filter((type) => type !== 'ping')).toEqual(['open', 'start', 'reset', 'open']);
    expect(lab.store.getState()).toMatchObject({ silent: false, status: 'loading' });
    expect(lab.store.getState().notices.at(-1)?.text).toMatch(/did not answer Reset, so it was ended/);
  });

  const going = (...steps: number[]): Report[] => [
    ...ready,
    exampleRuns(exampleKept('a', { inUse: true })),
    { type: 'status', status: 'running' },
    { type: 'events', run: 'a', events: [exampleStarted(), ...steps.map((step) => exampleStep(step))] },
    { type: 'status', status: 'running' },
  ];
  const shape = exampleStarted().experiment.target;

  it('a hand on a live setting changes the run, once it is still; a fixed one says why', async () => {
    const { lab, say, posted } = setUp();
    lab.openSource();
    await say(...going(1));
    vi.useFakeTimers();
    try {
      lab.setTarget({ ...shape, hiddenSize: 7 });
      lab.setTarget({ ...shape, hiddenSize: 5 });
      lab.setField('mixture.mode', 'constant');
      expect(settingsShown(lab.store.getState()).target.hiddenSize).toBe(5);
      vi.advanceTimersByTime(300);
      // There and back again is no change.
      lab.setField('clipNorm', 3);
      lab.setField('clipNorm', 1);
      vi.advanceTimersByTime(300);
    } finally {
      vi.useRealTimers();
    }
    expect(posted().slice(1)).toEqual([
      { type: 'change', changes: { 'target.hiddenSize': 5, 'mixture.mode': 'constant' } },
    ]);
    expect(lab.store.getState().pending).toEqual({ 'target.hiddenSize': 5, 'mixture.mode': 'constant' });
    expect(fixedBecause(lab.store.getState(), 'seed')).toMatch(/^Fixed since the run’s start/);
    expect(fixedBecause(lab.store.getState(), 'target.hiddenSize')).toBeNull();
  });

  it('after a run what is set is a draft, which can be run or dropped', async () => {
    const { lab, say, posted } = setUp();
    lab.openSource();
    await say(...going(1), { type: 'status', status: 'finished' });
    const shown = () => settingsShown(lab.store.getState());
    expect(shown().prune.steps).toBe(30);
    lab.setTarget({ ...shape, hiddenSize: 7 });
    expect(lab.store.getState().drafting).toBe(true);
    expect(shown()).toMatchObject({ target: { hiddenSize: 7 }, prune: { steps: 30 } });
    lab.setDrafting(false);
    expect(shown().target.hiddenSize).toBe(shape.hiddenSize);
    lab.setField('seed', 3);
    lab.prune();
    expect(posted().at(-1)).toMatchObject({
      type: 'start',
      plan: { experiment: { seed: 3 }, interventions: [] },
    });
  });

  it('starts a plan with its changes on the way, and goes on with a kept run after its source is open', async () => {
    const { lab, say, posted, types } = setUp();
    const plan = {
      experiment: exampleStarted().experiment,
      interventions: [{ at: 4, changes: { clipNorm: 2 } }],
    };
    lab.setPlan(plan);
    await say(...ready);
    lab.prune();
    expect(posted().at(-1)).toEqual({ type: 'start', plan });
    const other = exampleKept('b', { source: { name: 'micro', hash: null, parameters: 9 } });
    await say(exampleRuns(other), { type: 'status', status: 'finished' });
    lab.continueRun('b', { 'retrain.steps': 40 });
    expect(types().slice(-2)).toEqual(['open', 'continue']);
    expect(posted().at(-1)).toEqual({ type: 'continue', run: 'b', changes: { 'retrain.steps': 40 } });
  });

  it('reads a kept run that is shown, and forgets those that are not looked at', async () => {
    const { lab, say, posted } = setUp();
    lab.openSource();
    await say(...going(1), exampleRuns(exampleKept('a'), exampleKept('b')), {
      type: 'status',
      status: 'finished',
    });
    lab.showRun('b');
    expect(posted().at(-1)).toEqual({ type: 'showRun', run: 'b' });
    await say(
      { type: 'events', run: 'b', events: [exampleStarted(5), exampleStep(1)] },
      { type: 'status', status: 'finished' },
    );
    await vi.waitFor(() => expect(settingsShown(lab.store.getState()).seed).toBe(5));
    lab.overlayRun('a');
    expect(lab.store.getState().records.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(posted().at(-1)).toEqual({ type: 'showRun', run: 'b' });
  });

  it('scores units with the settings in the form, and takes scores from a file', async () => {
    const { lab, say, posted } = setUp();
    lab.openSource();
    await say(...ready);
    lab.setField('scores.widths', 'flap');
    lab.scoreUnits();
    expect(posted().at(-1)).toMatchObject({
      type: 'scoreUnits',
      experiment: { scores: { layers: 'block-influence', widths: 'flap' } },
    });
    const file = (text: string) => new File([text], 'mine.csv');
    await lab.loadScores(file('set,row,unit,score\nlayer,0,0,1\nlayer,0,2,1\n'));
    const { notices, unitScores } = lab.store.getState();
    expect(unitScores).toBeNull();
    expect(notices.at(-1)).toMatchObject({
      kind: 'error',
      text: expect.stringMatching(/line 3, column unit/) as string,
    });
    await lab.loadScores(file('set,row,unit,score\nlayer,0,0,1\nlayer,0,1,2\n'));
    expect(lab.store.getState().unitScores).toMatchObject({
      source: 'nano',
      origin: { file: 'mine.csv' },
      scores: { values: { layer: Float64Array.of(1, 2) } },
    });
  });
});
