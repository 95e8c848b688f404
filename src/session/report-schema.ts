import { z } from 'zod';
import type { Report } from './protocol';

const id = z.int().nonnegative();
const count = z.number().nonnegative();
const which = z.enum(['source', 'pruned']);
/** Losses may be NaN or infinite when a run diverges: that is news to show, not a broken message. */
const anyNumber = z.custom<number>((value) => typeof value === 'number', 'must be a number');
const bytes = z.custom<ArrayBuffer>((value) => value instanceof ArrayBuffer, 'must be an ArrayBuffer');

/** Events are written by the same version of the lab: their kind is checked here, their fields by their type. */
const event = z.looseObject({
  type: z.enum(['started', 'step', 'evaluation', 'gates', 'intervention', 'surgery', 'finished']),
});

const schema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('device'),
    adapter: z.object({
      vendor: z.string(),
      architecture: z.string(),
      description: z.string(),
      software: z.boolean(),
    }),
  }),
  z.object({ type: z.literal('loading'), what: z.string(), loaded: count, total: count }),
  z.object({
    type: z.literal('source'),
    name: z.string(),
    config: z.looseObject({ hiddenSize: z.int().positive(), numHiddenLayers: z.int().positive() }),
    parameters: count,
    card: z.looseObject({ name: z.string() }).nullable(),
  }),
  z.object({
    type: z.literal('status'),
    status: z.enum(['idle', 'loading', 'ready', 'running', 'paused', 'finished', 'failed']),
  }),
  z.object({ type: z.literal('events'), events: z.array(event) }),
  z.object({
    type: z.literal('activity'),
    what: z.string(),
    done: count,
    total: count,
    secondsLeft: anyNumber.nullable(),
  }),
  z.object({
    type: z.literal('generated'),
    id,
    which,
    text: z.string(),
    done: z.boolean(),
    tokensPerSecond: anyNumber,
  }),
  z.object({
    type: z.literal('evaluated'),
    id,
    which,
    loss: z.array(anyNumber),
    tokens: z.array(count),
    done: z.boolean(),
  }),
  z.object({
    type: z.literal('comparing'),
    id,
    what: z.string(),
    share: anyNumber,
    secondsLeft: anyNumber.nullable(),
  }),
  z.object({
    type: z.literal('compared'),
    id,
    report: z
      .looseObject({ format: z.literal('shear-lab report'), arms: z.array(z.looseObject({})) })
      .nullable(),
    done: z.boolean(),
  }),
  z.object({
    type: z.literal('scoring'),
    id,
    task: z.string(),
    items: count,
    totalItems: count,
    share: anyNumber,
    secondsLeft: anyNumber.nullable(),
  }),
  z.object({
    type: z.literal('scored'),
    id,
    results: z.array(
      z.looseObject({ task: z.looseObject({ name: z.string() }), outcomes: z.array(z.looseObject({})) }),
    ),
    done: z.boolean(),
  }),
  z.object({ type: z.literal('exported'), fileName: z.string(), bytes }),
  z.object({ type: z.literal('memory'), heldBytes: count }),
  z.object({ type: z.literal('failed'), message: z.string(), fatal: z.boolean() }),
]);

/** A message from the worker as a Report, or null when it is none. */
export function parseReport(message: unknown): Report | null {
  const result = schema.safeParse(message);
  return result.success ? (result.data as unknown as Report) : null;
}
