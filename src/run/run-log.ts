import { z } from 'zod';
import { MOST_DOMAINS } from '../fields/domains';
import { LLAMA_LIMITS } from '../formats/llama-config';
import { checked, numberWithin, refuse, wholeNumber } from '../formats/refusal';
import type { GateSet } from '../kernels/step-inputs';
import type { LlamaConfig } from '../llama/config';
import type { RunEvent, StartedEvent } from './events';
import { experimentSchema } from '../experiment/schema';

/** A run's log as a file: what a reader needs to judge the numbers, then every event. */
export interface RunLog {
  format: 'shear-lab run';
  formatVersion: 1;
  header: RunLogHeader;
  events: RunEvent[];
}

/** Stands in every export, so that no number travels without where it came from. */
export interface RunLogHeader {
  version: string;
  model: string;
  /** Hash of the source model's weights. */
  modelSha256?: string | undefined;
  corpus: string;
  seed: number;
  adapter: StartedEvent['adapter'];
}

const SUBJECT = 'run log';
const MAX_EVENTS = 500_000;

const line = z.string().max(500);
const weightsSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' })
  .optional();
const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const size = (max: number) => wholeNumber(1, max);
/** JSON has no NaN: a loss that diverged is written as null. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);
const losses = z.array(measured).max(MOST_DOMAINS);
const weights = z.array(numberWithin(0, 1)).max(MOST_DOMAINS);
const indices = z.array(count).max(LLAMA_LIMITS.intermediate_size);
const level = z.array(numberWithin(0, 255)).max(LLAMA_LIMITS.intermediate_size);
const stage = z.enum(['prune', 'retrain']);
const when = { step: count, tokens: count, elapsedMs: z.number() };

const shape = z.strictObject({
  numHiddenLayers: z.number().positive(),
  hiddenSize: z.number().positive(),
  numAttentionHeads: z.number().positive(),
  intermediateSize: z.number().positive(),
});

/** What gates round to while they are learnt may have lost a whole dimension for a while. */
const roundedShape = z.strictObject({
  numHiddenLayers: z.number().nonnegative(),
  hiddenSize: z.number().nonnegative(),
  numAttentionHeads: z.number().nonnegative(),
  intermediateSize: z.number().nonnegative(),
});

const config: z.ZodType<LlamaConfig> = z.strictObject({
  vocabSize: size(LLAMA_LIMITS.vocab_size),
  hiddenSize: size(LLAMA_LIMITS.hidden_size),
  numHiddenLayers: size(LLAMA_LIMITS.num_hidden_layers),
  numAttentionHeads: size(LLAMA_LIMITS.num_attention_heads),
  numKeyValueHeads: size(LLAMA_LIMITS.num_attention_heads),
  headDim: size(LLAMA_LIMITS.head_dim),
  intermediateSize: size(LLAMA_LIMITS.intermediate_size),
  maxPositionEmbeddings: size(LLAMA_LIMITS.max_position_embeddings),
  rmsNormEps: z.number(),
  ropeTheta: z.number(),
  ropeScaling: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('default') }),
    z.strictObject({ type: z.literal('linear'), factor: z.number() }),
    z.strictObject({
      type: z.literal('llama3'),
      factor: z.number(),
      lowFreqFactor: z.number(),
      highFreqFactor: z.number(),
      originalMaxPositionEmbeddings: z.number(),
    }),
  ]),
  tieWordEmbeddings: z.boolean(),
  attentionBias: z.boolean(),
  bosTokenId: count.nullable(),
  eosTokenId: count.nullable(),
});

const adapter = z.strictObject({
  vendor: line,
  architecture: line,
  description: line,
  software: z.boolean(),
});

const constraint = z
  .strictObject({ expected: measured, target: measured, lambda1: measured, lambda2: measured })
  .optional();
const sparsity: z.ZodType<Partial<Record<GateSet, z.infer<NonNullable<typeof constraint>>>>> = z.strictObject(
  {
    hidden: constraint,
    head: constraint,
    intermediate: constraint,
    layer: constraint,
  },
);

const summary = z.strictObject({
  target: shape,
  achieved: shape,
  parameters: z.strictObject({ source: count, pruned: count }),
  domains: z.array(line).max(MOST_DOMAINS),
  loss: z.strictObject({ source: losses, masked: losses, pruned: losses, retrained: losses.nullable() }),
  maskedVersusPruned: measured,
  mixture: weights,
  tokens: count,
  weightsSha256,
});

const eventSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('started'),
      experiment: experimentSchema,
      source: z.strictObject({ name: line, config, parameters: count, weightsSha256 }),
      domains: z.array(line).min(1).max(MOST_DOMAINS),
      adapter,
      version: line,
      referenceLoss: losses,
      scalingLaw: z.strictObject({ loss: losses, parameters: count, extrapolated: z.boolean() }).optional(),
      mixture: weights,
    }),
    z.strictObject({
      type: z.literal('step'),
      stage,
      ...when,
      loss: measured,
      domainLoss: z.array(z.number().nullable()).max(MOST_DOMAINS),
      gradientNorm: z.number().nullable(),
      learningRate: z.number(),
      lagrangian: measured.optional(),
      sparsity: sparsity.optional(),
    }),
    z.strictObject({
      type: z.literal('evaluation'),
      stage,
      ...when,
      loss: losses,
      mixture: weights,
      shape: roundedShape.optional(),
    }),
    z.strictObject({
      type: z.literal('gates'),
      step: count,
      hidden: level,
      heads: z.array(level).max(LLAMA_LIMITS.num_hidden_layers),
      intermediate: z.array(level).max(LLAMA_LIMITS.num_hidden_layers),
      layers: level,
    }),
    z.strictObject({
      type: z.literal('surgery'),
      step: count,
      elapsedMs: z.number(),
      config,
      parameters: count,
      weightsSha256,
      kept: z.strictObject({
        hidden: indices,
        layers: indices,
        heads: z.array(indices).max(LLAMA_LIMITS.num_hidden_layers),
        intermediate: z.array(indices).max(LLAMA_LIMITS.num_hidden_layers),
      }),
      maskedVersusPruned: measured,
      loss: z.strictObject({ masked: losses, pruned: losses }),
    }),
    z.strictObject({ type: z.literal('finished'), ...when, summary }),
  ],
  { error: 'must be an event of a known type' },
);

const runLogSchema: z.ZodType<RunLog> = z.strictObject({
  format: z.literal('shear-lab run'),
  formatVersion: z.literal(1),
  header: z.strictObject({
    version: line,
    model: line,
    modelSha256: weightsSha256,
    corpus: line,
    seed: count,
    adapter,
  }),
  events: z.array(eventSchema).min(1).max(MAX_EVENTS),
});

/** Lists whose length another part of the log decides: a chart or the anatomy would go wrong silently. */
function checkLengths(events: readonly RunEvent[]): StartedEvent {
  const [started] = events;
  if (started?.type !== 'started') return refuse(SUBJECT, 'events[0] must be the event "started"');
  const domains = started.domains.length;
  const { hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize } = started.source.config;
  events.forEach((event, i) => {
    const want = (field: string, list: readonly unknown[], length: number) => {
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
        want('hidden', event.hidden, hiddenSize);
        want('layers', event.layers, numHiddenLayers);
        want('heads', event.heads, numHiddenLayers);
        want('intermediate', event.intermediate, numHiddenLayers);
        for (const row of event.heads) want('heads', row, numKeyValueHeads);
        for (const row of event.intermediate) want('intermediate', row, intermediateSize);
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
