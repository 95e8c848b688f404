import { expect, it } from 'vitest';
import { exampleKept, exampleRuns, exampleStarted, exampleStep } from './example-run';
import { readKept } from './kept-runs';
import { appendEvents, beginRun } from './run-record';
import { canContinue, describeStatus } from './run-status';

const kept = (change: Parameters<typeof exampleKept>[1]) =>
  readKept(exampleRuns(exampleKept('a', change)), null).runs[0]!;
const resting = { status: 'ready', currentRun: null } as const;

it.each([
  [{ status: 'running', inUse: true }, 'in use, step 20 of 50', false],
  [{ status: 'running' }, 'interrupted at step 20 of 50', true],
  [{ status: 'paused' }, 'interrupted at step 20 of 50', true],
  [{ status: 'stopped' }, 'stopped at step 20 of 50', true],
  [{ status: 'finished' }, 'finished', false],
] as const)('a run that is %j is %s', (change, text, goesOn) => {
  expect(describeStatus(kept(change), null, resting)).toBe(text);
  expect(canContinue(kept(change))).toBe(goesOn);
});

it('the run that goes on here tells its newest step', () => {
  const record = appendEvents(beginRun('a', exampleStarted()), [exampleStep(1), exampleStep(33)]);
  const run = kept({ inUse: true });
  expect(describeStatus(run, record, { status: 'running', currentRun: 'a' })).toBe('step 33 of 50');
  expect(describeStatus(run, record, { status: 'paused', currentRun: 'a' })).toBe('paused at step 33 of 50');
});

it('a run of another version is listed without its settings', () => {
  expect(kept({ experiment: { prune: 'no' } }).plan).toBeNull();
});
