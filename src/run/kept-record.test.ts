import { expect, it } from 'vitest';
import type { RunState } from './run-state';
import { isDone } from './kept-record';
import { findRun } from './keeper';
import { KEPT_EXPERIMENT, run, store } from './kept-run.testing';

it('a run without optimiser steps is done when it has been cut, not before', async () => {
  const experiment = { ...KEPT_EXPERIMENT, method: 'one-shot' as const, retraining: 'none' as const };
  const stateOf = async (id: string): Promise<RunState> => {
    const folder = await store.open(id);
    const found = await findRun(folder);
    await folder.close();
    return found!.saved.state;
  };
  const plan = { experiment, interventions: [] };
  const stopped = await run(plan, (event, control) => {
    if (event.type === 'gates') control.cancel();
  });
  expect(isDone(await stateOf(stopped.id))).toBe(false);
  expect(isDone(await stateOf((await run(plan)).id))).toBe(true);
});
