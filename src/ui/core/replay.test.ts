import { expect, it } from 'vitest';
import { exampleEvaluation, exampleGates, exampleStarted, exampleStep } from './example-run';
import { lastStep, REPLAY_SECONDS, replayPosition } from './replay';

const events = [
  exampleStarted(),
  ...Array.from({ length: 20 }, (_, i) => exampleStep(i + 1)),
  exampleGates,
  exampleEvaluation(20, [1, 1], [1, 0]),
];

it('plays every event in order within the time', () => {
  expect(lastStep(events)).toBe(20);
  expect(replayPosition(events, 0, 0)).toBe(1);
  let next = 0;
  for (let seconds = 0; seconds <= REPLAY_SECONDS; seconds += 0.25) {
    const before = next;
    next = replayPosition(events, next, seconds);
    expect(next).toBeGreaterThanOrEqual(before);
    expect(next - before).toBeLessThanOrEqual(3);
  }
  expect(next).toBe(events.length);
});

it('stands at its middle after half of the time', () => {
  expect(replayPosition(events, 0, REPLAY_SECONDS / 2)).toBe(11);
});
