import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunStatus } from '../session/protocol';
import { exampleKept, exampleRuns, exampleStarted, exampleStep } from './core/example-run';
import { readKept } from './core/kept-runs';
import type { LabState } from './core/lab-state';
import { appendEvents, beginRun } from './core/run-record';
import { createLab } from './lab';
import { guardLeaving, wouldLose } from './leaving';

const page = new EventTarget();
beforeEach(() => vi.stubGlobal('window', page));
afterEach(() => void vi.unstubAllGlobals());

const silent = {
  postMessage: () => undefined,
  terminate: () => undefined,
  addEventListener: () => undefined,
};
const run = (steps: number) =>
  appendEvents(
    beginRun('a', exampleStarted()),
    Array.from({ length: steps }, (_, i) => exampleStep(i + 1)),
  );
const kept = (step: number, notice: string | null = null) =>
  readKept({ ...exampleRuns(exampleKept('a', { step })), notice }, null);
const going = (steps: number, list: LabState['kept']) => ({
  status: 'running' as RunStatus,
  currentRun: 'a',
  records: [run(steps)],
  kept: list,
});

it('asks before the page is left while a run would be lost, and only then', () => {
  const lab = createLab(() => silent, 'https://lab.example/');
  guardLeaving(lab);
  const asks = (state: Partial<LabState>) => {
    lab.store.setState(state);
    return !page.dispatchEvent(new Event('beforeunload', { cancelable: true }));
  };
  expect(asks({})).toBe(false);
  expect(asks(going(20, kept(0, 'Private.')))).toBe(true);
  expect(asks({ status: 'paused' })).toBe(true);
  expect(asks({ status: 'finished' })).toBe(false);
});

it('a kept run is left without a question, unless its checkpoints have stopped', () => {
  const recorded = { state: 'unavailable', run: null } as const;
  const loses = (steps: number, list: LabState['kept']) => wouldLose({ ...going(steps, list), recorded });
  // The experiment's default: a checkpoint every 50 steps.
  expect(loses(99, kept(0))).toBe(false);
  expect(loses(101, kept(0))).toBe(true);
  expect(loses(101, kept(50))).toBe(false);
  // Not told yet, and not in the list.
  expect(loses(1, null)).toBe(false);
  expect(loses(1, readKept(exampleRuns(), null))).toBe(true);
});
