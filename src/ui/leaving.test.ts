import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunStatus } from '../session/protocol';
import { createLab } from './lab';
import { guardLeaving, wouldLose } from './leaving';

const page = new EventTarget();
beforeEach(() => vi.stubGlobal('window', page));
afterEach(() => void vi.unstubAllGlobals());

it('asks before the page is left while a run would be lost, and only then', () => {
  const silent = {
    postMessage: () => undefined,
    terminate: () => undefined,
    addEventListener: () => undefined,
  };
  const lab = createLab(() => silent, 'https://lab.example/');
  guardLeaving(lab);
  const asks = (status: RunStatus) => {
    lab.store.setState({ status });
    return !page.dispatchEvent(new Event('beforeunload', { cancelable: true }));
  };
  for (const status of [
    'idle',
    'loading',
    'ready',
    'running',
    'paused',
    'finished',
    'running',
    'failed',
  ] as const) {
    expect(asks(status), status).toBe(wouldLose({ status }));
  }
  expect(
    ['running', 'paused', 'finished'].map((status) => wouldLose({ status: status as RunStatus })),
  ).toEqual([true, true, false]);
});
