import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSessionClient, type WorkerLike } from './client';
import type { Report } from './protocol';

class RecordingWorker implements WorkerLike {
  posted: { message: unknown; transfer: Transferable[] }[] = [];
  ended = false;
  private target = new EventTarget();
  postMessage(message: unknown, transfer: Transferable[]) {
    this.posted.push({ message, transfer });
  }
  terminate() {
    this.ended = true;
  }
  addEventListener(type: string, listener: (event: Event) => void) {
    this.target.addEventListener(type, listener);
  }
  say(data: unknown) {
    this.target.dispatchEvent(new MessageEvent('message', { data }));
  }
  break() {
    this.target.dispatchEvent(new Event('error', { cancelable: true }));
  }
}

function setUp() {
  const workers: RecordingWorker[] = [];
  const reports: Report[] = [];
  const heard: string[] = [];
  const client = createSessionClient(
    () => {
      workers.push(new RecordingWorker());
      return workers.at(-1)!;
    },
    {
      onReport: (report) => reports.push(report),
      onSilence: (silent) => heard.push(silent ? 'silent' : 'answers'),
      onEnded: () => heard.push('ended'),
    },
  );
  return { client, workers, reports, heard };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('session client', () => {
  it('starts one worker for many commands and hands on its reports', () => {
    const { client, workers, reports } = setUp();
    client.send({ type: 'pause' });
    client.send({ type: 'resume' });
    workers[0]!.say({ type: 'status', status: 'ready' });
    expect(workers).toHaveLength(1);
    expect(workers[0]!.posted.map((p) => p.message)).toEqual([{ type: 'pause' }, { type: 'resume' }]);
    expect(reports).toEqual([{ type: 'status', status: 'ready' }]);
  });

  it('moves the bytes of opened files', () => {
    const { client, workers } = setUp();
    const bytes = new ArrayBuffer(8);
    client.send({ type: 'openFiles', files: [{ name: 'config.json', bytes }], baseUrl: '/' });
    expect(workers[0]!.posted[0]!.transfer).toEqual([bytes]);
  });

  it.each([
    [{ type: 'celebrate' }],
    [{ type: 'status', status: 'bored' }],
    [{ type: 'events', events: [{ type: 'rumour' }] }],
    ['text'],
    [null],
  ])('refuses %j and ends the worker', (message) => {
    const { client, workers, reports } = setUp();
    client.send({ type: 'pause' });
    workers[0]!.say(message);
    expect(workers[0]!.ended).toBe(true);
    expect(reports).toMatchObject([{ type: 'failed', fatal: true }]);
    workers[0]!.say({ type: 'status', status: 'ready' });
    expect(reports).toHaveLength(1);
  });

  it('starts a fresh worker after a fatal failure, not after another', () => {
    const { client, workers } = setUp();
    client.send({ type: 'pause' });
    workers[0]!.say({ type: 'failed', message: 'Prompt is empty.', fatal: false });
    client.send({ type: 'pause' });
    expect(workers).toHaveLength(1);
    workers[0]!.say({ type: 'failed', message: 'The device was lost.', fatal: true });
    client.send({ type: 'open', source: 'nano', baseUrl: '/' });
    expect(workers).toHaveLength(2);
    workers[1]!.break();
    expect(workers[1]!.ended).toBe(true);
  });

  it('ends a worker that answers neither pings nor Reset, and only then', () => {
    const { client, workers, heard } = setUp();
    client.send({ type: 'pause' });
    vi.advanceTimersByTime(20_000);
    expect(heard).toEqual(['silent']);
    expect(workers[0]!.ended).toBe(false);
    client.send({ type: 'reset' });
    vi.advanceTimersByTime(5000);
    expect(heard).toEqual(['silent', 'ended']);
    expect(workers[0]!.ended).toBe(true);
    client.send({ type: 'open', source: 'nano', baseUrl: '/' });
    expect(workers).toHaveLength(2);
  });

  it('waits longer for a Reset while pings are answered, and keeps a worker that does it', () => {
    const { client, workers, heard } = setUp();
    const answer = (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        vi.advanceTimersByTime(1000);
        workers[0]!.say({ type: 'pong' });
      }
    };
    client.send({ type: 'pause' });
    client.send({ type: 'reset' });
    answer(20);
    workers[0]!.say({ type: 'status', status: 'paused' });
    expect(workers[0]!.ended).toBe(false);
    workers[0]!.say({ type: 'status', status: 'ready' });
    answer(60);
    expect(workers[0]!.ended).toBe(false);
    client.send({ type: 'reset' });
    answer(31);
    expect(workers[0]!.ended).toBe(true);
    expect(heard).toEqual(['ended']);
  });

  it('ends a worker that misses its own deadline, and says what it was at', () => {
    const { client, workers, reports } = setUp();
    client.send({ type: 'pause' });
    workers[0]!.say({ type: 'deadline', what: 'tokenizer.json: its rules', seconds: 10 });
    vi.advanceTimersByTime(12_000);
    expect(workers[0]!.ended).toBe(true);
    expect(reports).toEqual([
      {
        type: 'failed',
        fatal: true,
        message:
          'tokenizer.json: its rules did not end within 10 s, so the engine was ended: use another file.',
      },
    ]);
  });
});
