import { z } from 'zod';
import { interventionChangesSchema } from '../experiment/interventions';
import { keptExperimentSchema } from '../experiment/schema';
import { MOST_DOMAINS } from '../fields/domains';
import { LLAMA_LIMITS } from '../formats/llama-config';
import { numberWithin, wholeNumber } from '../formats/refusal';
import type { LlamaConfig } from '../llama/config';

/**
 * A run is an append-only log of these events: charts, tables, CSV, the recorded run and the replay all read this
 * log and nothing else. `elapsedMs` (time in which the run was not paused) is the only part that differs between
 * two runs of one plan on one adapter. The schemas are the types: a log from outside is parsed with them.
 */
const line = z.string().max(500);
/** What a model is known by (src/formats/weights-hash.ts); logs before version 0.2 have none. */
export const weightsSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' })
  .optional();
const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const size = (max: number) => wholeNumber(1, max);
/** A measured number is published only when it is finite; a log that says otherwise is refused. */
const measured = z.number();
const losses = z.array(measured).max(MOST_DOMAINS);
const weights = z.array(numberWithin(0, 1)).max(MOST_DOMAINS);
const indices = z.array(count).max(LLAMA_LIMITS.intermediate_size);
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
  /** Logs from before the lab computed these biases are of models without them. */
  mlpBias: z.boolean().default(false),
  bosTokenId: count.nullable(),
  eosTokenId: count.nullable(),
});

export const adapterSchema = z.strictObject({
  vendor: line,
  architecture: line,
  description: line,
  software: z.boolean(),
});

/** Where the experiment asks for it: what each domain's loss is compared with instead of the source's own. */
export const scalingLawSchema = z.strictObject({
  loss: losses,
  /** At how many parameters the law was read. */
  parameters: count,
  /** The family has no model as small, or as large. */
  extrapolated: z.boolean(),
});

const started = z.strictObject({
  type: z.literal('started'),
  experiment: keptExperimentSchema,
  source: z.strictObject({
    name: line,
    config,
    parameters: count,
    weightsSha256,
  }),
  /** Domain names in corpus order; every list by domain below has this order. */
  domains: z.array(line).min(1).max(MOST_DOMAINS),
  adapter: adapterSchema,
  version: line,
  /** The source model's own loss by domain on the run's evaluation windows. */
  referenceLoss: losses,
  scalingLaw: scalingLawSchema.optional(),
  /** Mixture of the first step. */
  mixture: weights,
});

const constraint = z.strictObject({
  expected: measured,
  target: measured,
  lambda1: measured,
  lambda2: measured,
});

/** One optimiser step. `step` counts from 1 through the whole run; `tokens` are those trained on so far. */
const step = z.strictObject({
  type: z.literal('step'),
  stage,
  ...when,
  loss: measured,
  /** Mean training loss of the windows of each domain in this batch; null where it had none. */
  domainLoss: z.array(z.number().nullable()).max(MOST_DOMAINS),
  /** Null where the gradient overflowed and the update was skipped. */
  gradientNorm: measured.nullable(),
  learningRate: z.number(),
  /** Where a teacher is learnt from: KL(teacher ‖ model) of the batch at the temperature in use, nats a token. */
  divergence: measured.optional(),
  /** Only while pruning: the constraint by gate set (sets that are not learnt are left out). */
  lagrangian: measured.optional(),
  sparsity: z
    .strictObject({
      hidden: constraint.optional(),
      head: constraint.optional(),
      intermediate: constraint.optional(),
      layer: constraint.optional(),
    })
    .optional(),
});

/** Deterministic masks (or the pruned model) on held-out windows, and the mixture that follows from it. */
const evaluation = z.strictObject({
  type: z.literal('evaluation'),
  stage,
  ...when,
  loss: losses,
  /** Sampling weights from the next step on. */
  mixture: weights,
  /** While pruning: the shape that the gates now round to (units kept in every layer, on average). */
  shape: roundedShape.optional(),
});

/**
 * The deterministic value of every gate before any is cut to 0, as 0…255 in the source's gate layout
 * (src/llama/gates.ts), for the anatomy.
 */
const gates = z.strictObject({
  type: z.literal('gates'),
  step: count,
  values: z.instanceof(Uint8Array as unknown as new () => Uint8Array<ArrayBuffer>),
});

/** The axes that the residual stream was turned to before anything was decided. */
const axes = z.strictObject({
  type: z.literal('axes'),
  step: count,
  /** Of each hidden dimension from now on: its share of the stream's moments, descending. */
  shares: z.array(numberWithin(0, 1)).max(LLAMA_LIMITS.hidden_size),
});

/**
 * A candidate for the mask, judged after a round of a race. Its tokens count as the run's; `step` stands still, since
 * the weights that were trained are thrown away. The winner is the one that goes on from the last round.
 */
const race = z.strictObject({
  type: z.literal('race'),
  ...when,
  /** From 1 on, as is the candidate's place in the pool. */
  round: count,
  candidate: count,
  label: line,
  /** Layers of the source that it keeps. */
  layers: indices,
  /** Steps of retraining that it has had. */
  steps: count,
  loss: losses,
  /** Mean of the losses by the mixture that the run started from: what decides. */
  meanLoss: measured,
  goesOn: z.boolean(),
});

/** Settings that somebody changed; they hold from the next step on. */
const intervention = z.strictObject({
  type: z.literal('intervention'),
  ...when,
  changes: interventionChangesSchema,
  /** What the same settings were before. */
  before: interventionChangesSchema,
});

/** The cut: what was kept, and that the masked source and the pruned model agree. */
const surgery = z.strictObject({
  type: z.literal('surgery'),
  step: count,
  elapsedMs: z.number(),
  config,
  parameters: count,
  /** Of the model as cut. */
  weightsSha256,
  kept: z.strictObject({
    hidden: indices,
    layers: indices,
    heads: z.array(indices).max(LLAMA_LIMITS.num_hidden_layers),
    intermediate: z.array(indices).max(LLAMA_LIMITS.num_hidden_layers),
  }),
  /** Kept units by gate set that their gates had nearly closed; logs from before they were counted have none. */
  nearlyDead: z.strictObject({ hidden: count, head: count, intermediate: count, layer: count }).optional(),
  /** Largest absolute difference of f32 logits, masked source against pruned model. */
  maskedVersusPruned: measured,
  loss: z.strictObject({ masked: losses, pruned: losses }),
});

/** What summary.json says. Losses are nats a token by domain on the run's evaluation windows. */
const summary = z.strictObject({
  target: shape,
  achieved: shape,
  parameters: z.strictObject({ source: count, pruned: count }),
  domains: z.array(line).max(MOST_DOMAINS),
  loss: z.strictObject({ source: losses, masked: losses, pruned: losses, retrained: losses.nullable() }),
  maskedVersusPruned: measured,
  mixture: weights,
  tokens: count,
  /** Of the model that came out. */
  weightsSha256,
});

const finished = z.strictObject({ type: z.literal('finished'), ...when, summary });

export const eventSchema = z.discriminatedUnion(
  'type',
  [started, step, evaluation, gates, axes, race, intervention, surgery, finished],
  { error: 'must be an event of a known type' },
);

export const surgerySchema = surgery;

export type RunEvent = z.infer<typeof eventSchema>;
export type Stage = z.infer<typeof stage>;
export type StartedEvent = z.infer<typeof started>;
export type StepEvent = z.infer<typeof step>;
export type EvaluationEvent = z.infer<typeof evaluation>;
export type AxesEvent = z.infer<typeof axes>;
export type RaceEvent = z.infer<typeof race>;
export type GatesEvent = z.infer<typeof gates>;
export type InterventionEvent = z.infer<typeof intervention>;
export type SurgeryEvent = z.infer<typeof surgery>;
export type FinishedEvent = z.infer<typeof finished>;
export type RunSummary = z.infer<typeof summary>;
