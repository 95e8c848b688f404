import { describe, expect, it } from 'vitest';
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
  const client = createSessionClient(
    () => {
      workers.push(new RecordingWorker());
      return workers.at(-1)!;
    },
    (report) => reports.push(report),
  );
  return { client, workers, reports };
}

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
});
