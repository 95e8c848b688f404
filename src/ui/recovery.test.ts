import { describe, expect, it, vi } from 'vitest';
import type { Report } from '../session/protocol';
import { exampleConfig, exampleKept, exampleRuns, exampleStarted, exampleStep } from './core/example-run';
import { reduceReport } from './core/reduce-report';
import { createLab } from './lab';
import { watchRuns } from './recovery';

function setUp() {
  const posted: { type: string; run?: string }[] = [];
  const lab = createLab(
    () => ({
      postMessage: (message) => void posted.push(message as { type: string }),
      terminate: () => undefined,
      addEventListener: () => undefined,
    }),
    'https://lab.example/',
  );
  const persist = vi.fn(() => Promise.resolve(true));
  watchRuns(lab, persist);
  const say = (...reports: Report[]) => {
    for (const report of reports) lab.store.setState((state) => reduceReport(state, report), true);
  };
  const types = () => posted.map(({ type }) => type).filter((type) => type !== 'listRuns');
  const texts = () => lab.store.getState().notices.map(({ text }) => text);
  return { lab, say, types, texts, persist };
}

const ready: Report[] = [
  { type: 'device', adapter: { vendor: '', architecture: '', description: '', software: false } },
  {
    type: 'source',
    name: 'nano',
    weightsSha256: null,
    config: exampleConfig,
    parameters: 9,
    card: null,
  },
  { type: 'status', status: 'ready' },
];
const lost: Report = { type: 'failed', message: 'The device was lost.', fatal: true };
const going = (...steps: number[]): Report[] => [
  ...ready,
  exampleRuns(exampleKept('a', { inUse: true })),
  { type: 'status', status: 'running' },
  { type: 'events', run: 'a', events: [exampleStarted(), ...steps.map((step) => exampleStep(step))] },
];

describe('runs that were broken off', () => {
  it('a lost device goes on by itself, twice at most without a step in between', () => {
    const { say, types, texts, persist } = setUp();
    say(...going(21), lost);
    expect(types()).toEqual(['open', 'continue']);
    expect(texts()).toEqual([
      'The device was lost. run a goes on by itself from its last checkpoint, at step 20.',
    ]);
    say(...going(21), lost);
    expect(types()).toEqual(['open', 'continue', 'open', 'continue']);
    say(...going(20), lost);
    expect(types()).toHaveLength(4);
    expect(texts().at(-1)).toMatch(/lost 3 times without a step in between/);
    // It got further: that is another failure.
    say(...going(22, 23), lost);
    expect(types()).toHaveLength(6);
    expect(persist).toHaveBeenCalledTimes(1);
  });

  it('a paused run is paused again; without a kept one a lost device is only told', () => {
    const { say, types, texts } = setUp();
    say(...going(21), { type: 'status', status: 'paused' }, lost);
    expect(types()).toEqual(['open', 'continue', 'pause']);
    const other = setUp();
    other.say(...ready, lost);
    expect(other.types()).toEqual([]);
    expect(other.texts()).toEqual(['The device was lost.']);
    expect(texts()).toHaveLength(1);
  });

  it('what a closed tab left is offered once, and not what another tab works on', () => {
    const { say, texts, lab } = setUp();
    const runs = exampleRuns(exampleKept('a'), exampleKept('b', { inUse: true }), exampleKept('c'));
    say(runs, runs);
    expect(texts()).toEqual(['run a was interrupted at step 20 of 50. So was another, under “Runs”.']);
    expect(lab.store.getState().notices[0]).toMatchObject({ offer: 'continue', run: 'a' });
    say(exampleRuns(exampleKept('d', { status: 'stopped' })));
    expect(texts()).toHaveLength(1);
  });
});
