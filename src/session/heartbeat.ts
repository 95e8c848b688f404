import { z } from 'zod';

/**
 * Whether the worker's event loop turns. GPU work and compiling are asynchronous, so a worker that is busy with
 * them still answers; one that computes in one go (an endless regular expression, say) does not.
 */

/** What the page sends: answered with a pong as soon as the worker comes to it. */
export const PING = { type: 'ping' } as const;

/** What the worker sends besides its reports. */
const pulseSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('pong') }),
  /** From now on the worker may be silent for `seconds`, for `what`, and no longer. */
  z.object({ type: z.literal('deadline'), what: z.string(), seconds: z.number().positive() }),
  z.object({ type: z.literal('deadlineMet') }),
]);
export type Pulse = z.infer<typeof pulseSchema>;

/** The message as a pulse, or null when it is something else. */
export function parsePulse(message: unknown): Pulse | null {
  const result = pulseSchema.safeParse(message);
  return result.success ? result.data : null;
}

/** The worker's side: whether the message was a ping, which is answered here. */
export function answerPing(message: unknown, post: (pulse: Pulse) => void): boolean {
  if ((message as { type?: unknown } | null)?.type !== PING.type) return false;
  post({ type: 'pong' });
  return true;
}

/**
 * The worker's side: does `work`, which cannot be interrupted from inside, while the page watches the clock and
 * ends the worker when it takes more than `seconds`.
 */
export type UnderDeadline = <T>(what: string, seconds: number, work: () => T) => T;

export function createDeadline(post: (pulse: Pulse) => void): UnderDeadline {
  return (what, seconds, work) => {
    post({ type: 'deadline', what, seconds });
    try {
      return work();
    } finally {
      post({ type: 'deadlineMet' });
    }
  };
}

/** Seconds without an answer after which the page says so: fifty times the longest that was measured (docs/decisions.md). */
export const SILENT_SECONDS = 15;
const TICK_MS = 1000;

export interface HeartbeatListener {
  ping(): void;
  /** The worker has been silent for SILENT_SECONDS, or answers again. */
  onSilence(silent: boolean): void;
  /** The worker is still at what it set itself a deadline for. */
  onMissed(what: string, seconds: number): void;
}

/**
 * The page's side. Time is counted in ticks of the page's own timer, so that a page that was suspended, or busy
 * itself, does not blame the worker.
 */
export function watchHeartbeat({ ping, onSilence, onMissed }: HeartbeatListener) {
  let unanswered = 0;
  let deadline: { what: string; seconds: number; left: number } | null = null;

  const timer = setInterval(() => {
    if (deadline && --deadline.left < 0) {
      const { what, seconds } = deadline;
      deadline = null;
      return onMissed(what, seconds);
    }
    if (unanswered === 0) ping();
    if (++unanswered === SILENT_SECONDS + 1) onSilence(true);
  }, TICK_MS);

  return {
    /** Whether nothing came since the last ping but one. */
    silent: () => unanswered > 1,
    receive(pulse: Pulse): void {
      if (pulse.type === 'deadline') deadline = { ...pulse, left: pulse.seconds };
      if (pulse.type === 'deadlineMet') deadline = null;
      if (unanswered > SILENT_SECONDS) onSilence(false);
      if (pulse.type === 'pong') unanswered = 0;
    },
    stop: () => clearInterval(timer),
  };
}
