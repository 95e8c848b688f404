import { z } from 'zod';
import { changed } from '../experiment/interventions';
import type { Experiment } from '../experiment/schema';
import { checked, refuse, wholeNumber } from '../formats/refusal';
import { GATE_SETS, gateLayout } from '../llama/gates';
import { adapterSchema, eventSchema, weightsSha256, type RunEvent, type StartedEvent } from './events';

/** Stands in every export, so that no number travels without where it came from. */
const headerSchema = z.strictObject({
  version: z.string().max(500),
  model: z.string().max(500),
  /** Of the source model's weights. */
  modelSha256: weightsSha256,
  corpus: z.string().max(500),
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  adapter: adapterSchema,
});

const SUBJECT = 'run log';
const MAX_EVENTS = 500_000;

/** An event as it stands in a file of JSON, made one of the schema: gate values in base64, or as logs of version 1 had them. */
const storedEvent = z.preprocess(fromStored, eventSchema);

/** A run's log as a file: what a reader needs to judge the numbers, then every event. */
const runLogSchema = z.strictObject({
  format: z.literal('shear-lab run'),
  formatVersion: z.union([z.literal(1), z.literal(2)]),
  header: headerSchema,
  events: z.array(storedEvent).min(1).max(MAX_EVENTS),
});

export type RunLog = z.infer<typeof runLogSchema>;
export type RunLogHeader = z.infer<typeof headerSchema>;

/** Digits of a measured number in a log: what f32 sums are good for, and a log of 100,000 steps stays small. */
const DIGITS = 6;

/** Lists of settings and of units stand in a log as they are; only measured numbers are rounded. */
const EXACT = new Set(['experiment', 'config', 'kept', 'changes', 'before', 'adapter']);

/**
 * An event as one line of JSON. Measured numbers have six significant digits, milliseconds are whole.
 *
 * @param frame `inside`: a gates event carries its values in base64; a number: where its bytes lie beside the log
 */
export function eventLine(event: RunEvent, frame: 'inside' | number): string {
  if (event.type !== 'gates') return JSON.stringify(rounded(event, ''));
  const { values, ...rest } = event;
  return JSON.stringify({ ...rest, ...(frame === 'inside' ? { values: base64(values) } : { frame }) });
}

function rounded(value: unknown, key: string): unknown {
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return value;
    return key === 'elapsedMs' ? Math.round(value) : Number(value.toPrecision(DIGITS));
  }
  if (value === null || typeof value !== 'object' || EXACT.has(key)) return value;
  if (Array.isArray(value)) return value.map((item) => rounded(item, key));
  if (key === 'sparsity') return rounded(packedSparsity(value), 'packed');
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, rounded(field, name)]));
}

type Sparsity = NonNullable<Extract<RunEvent, { type: 'step' }>['sparsity']>;

/** Expected, target, λ1 and λ2 of each set in one list, nulls for a set that is not learnt: half of a step's line. */
function packedSparsity(sparsity: Sparsity): (number | null)[] {
  return GATE_SETS.flatMap((name) => {
    const set = sparsity[name];
    return set ? [set.expected, set.target, set.lambda1, set.lambda2] : [null, null, null, null];
  });
}

function unpackedSparsity(list: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    GATE_SETS.flatMap((name, k) => {
      const [expected, target, lambda1, lambda2] = list.slice(4 * k, 4 * k + 4);
      return expected === null ? [] : [[name, { expected, target, lambda1, lambda2 }]];
    }),
  );
}

function fromStored(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const event = given as Record<string, unknown>;
  if (event['type'] === 'gates') return gatesFromStored(event);
  const { sparsity } = event;
  return Array.isArray(sparsity) ? { ...event, sparsity: unpackedSparsity(sparsity) } : given;
}

function gatesFromStored(event: Record<string, unknown>): unknown {
  const { values, hidden, heads, intermediate, layers, ...rest } = event;
  if (values instanceof Uint8Array) return event;
  if (typeof values === 'string') return { ...rest, values: bytesOf(values) };
  const parts = [hidden, heads, intermediate, layers];
  if (!parts.every(Array.isArray)) return event;
  return { ...rest, values: Uint8Array.from((parts as number[][][]).flat(2)) };
}

/** @throws InputError */
export function parseEvent(json: unknown): RunEvent {
  return checked<RunEvent>(storedEvent, json, SUBJECT);
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Lists whose length another part of the log decides: a chart or the anatomy would go wrong silently. */
export function checkLengths(events: readonly RunEvent[]): StartedEvent {
  const [started] = events;
  if (started?.type !== 'started') return refuse(SUBJECT, 'events[0] must be the event "started"');
  const domains = started.domains.length;
  const gates = gateLayout(started.source.config).total;
  events.forEach((event, i) => {
    const want = (field: string, list: { length: number }, length: number) => {
      if (list.length !== length) {
        refuse(SUBJECT, `events[${i}].${field} must have ${length} entries, but it has ${list.length}`);
      }
    };
    switch (event.type) {
      case 'started':
        if (i > 0) refuse(SUBJECT, `events[${i}] must not start another run`);
        want('referenceLoss', event.referenceLoss, domains);
        if (event.scalingLaw) want('scalingLaw.loss', event.scalingLaw.loss, domains);
        want('mixture', event.mixture, domains);
        break;
      case 'step':
        want('domainLoss', event.domainLoss, domains);
        break;
      case 'evaluation':
        want('loss', event.loss, domains);
        want('mixture', event.mixture, domains);
        break;
      case 'gates':
        want('values', event.values, gates);
        break;
      case 'axes':
        want('shares', event.shares, started.source.config.hiddenSize);
        break;
      case 'intervention':
        break;
      case 'surgery':
        want('loss.masked', event.loss.masked, domains);
        want('loss.pruned', event.loss.pruned, domains);
        break;
      case 'finished':
        want('summary.domains', event.summary.domains, domains);
        for (const list of Object.values(event.summary.loss)) if (list) want('summary.loss', list, domains);
        break;
    }
  });
  return started;
}

/** Checks a run's log from outside, such as the recorded run of the page. @throws InputError */
export function parseRunLog(json: unknown): RunLog {
  const log = checked(runLogSchema, json, SUBJECT);
  checkLengths(log.events);
  return log;
}

/** The settings that a run ended with: those of its start, and every change on the way. @throws InputError */
export function settingsOf(events: readonly RunEvent[]): Experiment {
  const [started] = events;
  if (started?.type !== 'started') return refuse(SUBJECT, 'events[0] must be the event "started"');
  return events.reduce(
    (settings, event) => (event.type === 'intervention' ? changed(settings, event.changes) : settings),
    started.experiment,
  );
}

/** The header of a log, from its first event. @throws InputError if the log is empty or is not one run's. */
export function runLogHeader(events: readonly RunEvent[], corpus?: string): RunLogHeader {
  const [started] = events;
  if (started?.type !== 'started')
    return refuse(SUBJECT, 'the run has no event yet, so nothing can be exported');
  return {
    version: started.version,
    model: started.source.name,
    ...(started.source.weightsSha256 && { modelSha256: started.source.weightsSha256 }),
    corpus: corpus ?? `domains ${started.domains.join(', ')}`,
    seed: started.experiment.seed,
    adapter: started.adapter,
  };
}
