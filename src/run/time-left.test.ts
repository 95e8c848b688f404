import { describe, expect, it } from 'vitest';
import { createShareTimeLeft, createTimeLeft } from './time-left';

/** A clock that a test moves, and work that takes a given time. */
function setUp(planned: Parameters<typeof createTimeLeft>[0]) {
  let time = 1000;
  const left = createTimeLeft(planned, () => time);
  const spend = (kind: string, milliseconds: number, units = 1) => {
    for (let i = 0; i < units; i++) {
      time += milliseconds;
      left.finished(kind);
    }
  };
  return { left, spend };
}

describe('time left', () => {
  it('is not known before five units were timed', () => {
    const { left, spend } = setUp({ step: { left: 10 } });
    spend('step', 100, 4);
    expect(left.seconds()).toBeNull();
    spend('step', 100);
    expect(left.seconds()).toBeCloseTo(0.5, 9);
  });

  it('leaves out the first unit, which pays for compiling', () => {
    const { left, spend } = setUp({ step: { left: 10 } });
    spend('step', 9000);
    spend('step', 100, 5);
    expect(left.seconds()).toBeCloseTo(0.4, 9);
  });

  it('counts evaluations, and is not known while none was timed', () => {
    const { left, spend } = setUp({ step: { left: 20 }, evaluation: { left: 3 } });
    spend('step', 100, 10);
    expect(left.seconds()).toBeNull();
    spend('evaluation', 2000);
    expect(left.seconds()).toBeCloseTo(10 * 0.1 + 2 * 2, 9);
    // What an evaluation took is no part of the next step's time.
    spend('step', 100);
    expect(left.seconds()).toBeCloseTo(9 * 0.1 + 2 * 2, 9);
  });

  it('takes one kind for another until it was timed itself', () => {
    const { left, spend } = setUp({ prune: { left: 6 }, retrain: { left: 4, like: 'prune' } });
    spend('prune', 300, 6);
    expect(left.seconds()).toBeCloseTo(1.2, 9);
    spend('retrain', 100, 2);
    expect(left.seconds()).toBeCloseTo(0.2, 9);
  });

  it('follows a device that slows down, and a plan that changes', () => {
    const { left, spend } = setUp({ step: { left: 100 } });
    spend('step', 10, 40);
    spend('step', 50, 40);
    expect(left.seconds()).toBeCloseTo(20 * 0.05, 9);
    left.plan('step', 2);
    expect(left.seconds()).toBeCloseTo(0.1, 9);
  });

  it('says nothing is left at the end, and refuses work that was not planned', () => {
    const { left, spend } = setUp({ step: { left: 5 }, evaluation: { left: 0 } });
    spend('step', 100, 6);
    expect(left.seconds()).toBe(0);
    expect(() => left.finished('nap')).toThrow('No work of kind "nap" was planned.');
  });
});

it('time left by share is known after five reports of progress', () => {
  let time = 0;
  const secondsLeft = createShareTimeLeft(() => time);
  const at = (now: number, share: number) => {
    time = now;
    return secondsLeft(share);
  };
  expect(at(100, 0)).toBeNull();
  for (const percent of [1, 2, 3, 4]) expect(at(1000 * percent, percent / 100)).toBeNull();
  expect(at(5000, 0.05)).toBeCloseTo(95, 6);
  expect(at(50_000, 0.5)).toBeCloseTo(50, 6);
  expect(at(90_000, 1)).toBe(0);
});
