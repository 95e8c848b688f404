import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  answerPing,
  createDeadline,
  parsePulse,
  PING,
  type Pulse,
  SILENT_SECONDS,
  watchHeartbeat,
} from './heartbeat';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const heard: string[] = [];
  let pings = 0;
  const heartbeat = watchHeartbeat({
    ping: () => pings++,
    onSilence: (silent) => heard.push(silent ? 'silent' : 'answers'),
    onMissed: (what, seconds) => heard.push(`${what} took more than ${seconds} s`),
  });
  const pass = (seconds: number) => vi.advanceTimersByTime(1000 * seconds);
  return { heard, heartbeat, pass, pings: () => pings };
}

describe('heartbeat', () => {
  it('pings each second while it is answered, and waits for the answer', () => {
    const { heard, heartbeat, pass, pings } = setUp();
    for (let i = 0; i < 100; i++) {
      pass(1);
      heartbeat.receive({ type: 'pong' });
    }
    expect(pings()).toBe(100);
    pass(5);
    expect(pings()).toBe(101);
    expect(heard).toEqual([]);
  });

  it('says once that the worker is silent, and that it answers again', () => {
    const { heard, heartbeat, pass } = setUp();
    pass(SILENT_SECONDS);
    expect(heard).toEqual([]);
    pass(60);
    expect(heard).toEqual(['silent']);
    heartbeat.receive({ type: 'pong' });
    pass(3);
    expect(heard).toEqual(['silent', 'answers']);
  });

  it('holds the worker to its deadline', () => {
    const { heard, heartbeat, pass } = setUp();
    heartbeat.receive({ type: 'deadline', what: 'work', seconds: 10 });
    pass(9);
    heartbeat.receive({ type: 'deadlineMet' });
    heartbeat.receive({ type: 'pong' });
    pass(9);
    heartbeat.receive({ type: 'deadline', what: 'more work', seconds: 4 });
    pass(20);
    expect(heard[0]).toBe('more work took more than 4 s');
  });

  it('is over when it is stopped', () => {
    const { heard, heartbeat, pass, pings } = setUp();
    heartbeat.stop();
    pass(100);
    expect([heard, pings()]).toEqual([[], 0]);
  });
});

describe('the worker', () => {
  it('answers a ping and nothing else', () => {
    const posted: Pulse[] = [];
    const post = (pulse: Pulse) => void posted.push(pulse);
    expect([PING, { type: 'open' }, null, 'ping'].map((message) => answerPing(message, post))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(posted).toEqual([{ type: 'pong' }]);
  });

  it('says before and after what it works at, also when that fails', () => {
    const posted: unknown[] = [];
    const underDeadline = createDeadline((pulse) => posted.push(parsePulse(pulse)));
    expect(underDeadline('sums', 3, () => 4)).toBe(4);
    expect(() =>
      underDeadline('sums', 3, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    const pair = [{ type: 'deadline', what: 'sums', seconds: 3 }, { type: 'deadlineMet' }];
    expect(posted).toEqual([...pair, ...pair]);
    expect(parsePulse({ type: 'status', status: 'ready' })).toBeNull();
  });
});
