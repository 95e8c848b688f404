import { describe, expect, it } from 'vitest';
import type { FinishedEvent, SurgeryEvent } from '../../run/events';
import { controlSeconds } from './control-time';
import { exampleStarted } from './example-run';
import { appendEvents, beginRun } from './run-record';

/** 30 steps of pruning in 6 s, then 20 of retraining in 1 s. */
const surgery = { type: 'surgery', elapsedMs: 6000 } as SurgeryEvent;
const finished = { type: 'finished', elapsedMs: 7000 } as FinishedEvent;

describe('the time of a control', () => {
  const seconds = (weight: number) => {
    const started = exampleStarted();
    const distillation = { ...started.experiment.distillation, weight };
    const of = { ...started, experiment: { ...started.experiment, distillation } };
    return controlSeconds(appendEvents(beginRun('1', of), [surgery, finished]));
  };

  it('is that of as many steps of retraining', () => {
    // 50 steps of 16 windows, at 50 ms.
    expect(seconds(0)).toBeCloseTo(2.5, 10);
  });

  it('is less where a teacher took part of each step', () => {
    expect(seconds(1)).toBeLessThan(2.5);
    expect(seconds(1)).toBeGreaterThan(1);
  });

  it('is reckoned from pruning where nothing was retrained', () => {
    const started = exampleStarted();
    const cutOnly = { ...started, experiment: { ...started.experiment, retraining: 'none' as const } };
    expect(controlSeconds(appendEvents(beginRun('1', cutOnly), [surgery, finished]))).toBeCloseTo(6, 10);
  });

  it('is not known before the run has finished', () => {
    expect(controlSeconds(appendEvents(beginRun('1', exampleStarted()), [surgery]))).toBeNull();
  });
});
