import { z } from 'zod';
import { MOST_DOMAINS } from '../fields/domains';
import { checked } from '../formats/refusal';
import type { TargetShape } from '../llama/config';

/**
 * What a run is: plain, versioned data. `EXPERIMENT_FIELDS` is the one table of fields: it gives the
 * defaults, the limits, the form, the permalink's keys, the reset buttons and docs/experiment.md.
 */
export interface Experiment {
  version: 1;
  /** Folder name under public/models, or `local` for a model that the visitor opened. */
  source: string;
  target: TargetShape;
  method: 'sheared';
  /** Which gate sets are learnt; the others stay open and keep the source's size. */
  gates: { hidden: boolean; head: boolean; intermediate: boolean; layer: boolean };
  retraining: 'continued' | 'none';
  mixture: {
    mode: 'dynamic' | 'constant' | 'manual';
    /** Sampling weights of the corpus' domains in manifest order; empty: the corpus' own proportions. */
    weights: number[];
    /**
     * What each domain's loss is compared with: the source model's own, or what the scaling law of its family
     * gives for the target's size (src/run/reference-losses.ts).
     */
    referenceLosses: 'source' | 'scaling-law';
    /** max(loss − reference, 0) as in the paper's Algorithm 1; the authors' code has no clamp. */
    clamp: boolean;
    /** c of (1 − c)·w + c/n, as in the authors' code; 0 as in the paper. */
    smoothing: number;
  };
  prune: {
    steps: number;
    batchSize: number;
    learningRate: number;
    learningRateWarmup: number;
    learningRateFloor: number;
    gateLearningRate: number;
    multiplierLearningRate: number;
    quadraticMultiplier: number;
    logAlpha: number;
    sparsityWarmup: number;
    temperature: number;
    weightDecay: number;
  };
  retrain: {
    steps: number;
    batchSize: number;
    learningRate: number;
    learningRateWarmup: number;
    learningRateFloor: number;
    weightDecay: number;
  };
  contextLength: number;
  clipNorm: number;
  evaluation: { interval: number; windows: number };
  seed: number;
}

interface FieldBase {
  /** Dotted path into Experiment; also the permalink's key. */
  key: string;
  label: string;
  help: string;
  group: 'target' | 'method' | 'mixture' | 'prune' | 'retrain' | 'run';
}
export type Field = FieldBase &
  (
    | { kind: 'integer' | 'number'; default: number; min: number; max: number; step: number; unit?: string }
    | { kind: 'boolean'; default: boolean }
    | { kind: 'choice'; default: string; options: readonly { value: string; label: string }[] }
    | { kind: 'name'; default: string }
    | { kind: 'weights'; default: readonly number[] }
  );

const integer = (
  key: string,
  group: Field['group'],
  label: string,
  value: number,
  [min, max, step]: readonly [number, number, number],
  help: string,
): Field => ({ key, group, label, help, kind: 'integer', default: value, min, max, step });

const number = (
  key: string,
  group: Field['group'],
  label: string,
  value: number,
  [min, max, step]: readonly [number, number, number],
  help: string,
): Field => ({ key, group, label, help, kind: 'number', default: value, min, max, step });

const toggle = (key: string, group: Field['group'], label: string, value: boolean, help: string): Field => ({
  key,
  group,
  label,
  help,
  kind: 'boolean',
  default: value,
});

/** Every field of an experiment, once. Defaults start from measurements on small models (docs/method.md). */
export const EXPERIMENT_FIELDS: readonly Field[] = [
  {
    key: 'source',
    group: 'target',
    label: 'Source model',
    help: 'The model that is pruned.',
    kind: 'name',
    default: 'nano',
  },
  integer('target.numHiddenLayers', 'target', 'Layers', 4, [1, 256, 1], 'Transformer blocks that are kept.'),
  integer(
    'target.hiddenSize',
    'target',
    'Hidden size',
    48,
    [1, 65536, 1],
    'Dimensions of the residual stream that are kept.',
  ),
  integer(
    'target.numAttentionHeads',
    'target',
    'Attention heads',
    3,
    [1, 1024, 1],
    'Attention heads kept in every layer.',
  ),
  integer(
    'target.intermediateSize',
    'target',
    'MLP width',
    128,
    [1, 262144, 1],
    'MLP units kept in every layer.',
  ),
  {
    key: 'method',
    group: 'method',
    label: 'Method',
    kind: 'choice',
    default: 'sheared',
    help: 'How the units to keep are chosen.',
    options: [{ value: 'sheared', label: 'Sheared LLaMA: learned masks' }],
  },
  toggle('gates.layer', 'method', 'Layer gates', true, 'Learn which layers to keep.'),
  toggle('gates.hidden', 'method', 'Hidden gates', true, 'Learn which hidden dimensions to keep.'),
  toggle('gates.head', 'method', 'Head gates', true, 'Learn which attention heads to keep.'),
  toggle('gates.intermediate', 'method', 'MLP gates', true, 'Learn which MLP units to keep.'),
  {
    key: 'retraining',
    group: 'retrain',
    label: 'Retraining',
    kind: 'choice',
    default: 'continued',
    help: 'What happens after the cut.',
    options: [
      { value: 'continued', label: 'Continued pretraining' },
      { value: 'none', label: 'None' },
    ],
  },
  {
    key: 'mixture.mode',
    group: 'mixture',
    label: 'Mixture',
    kind: 'choice',
    default: 'dynamic',
    help: 'How training windows are drawn from the domains.',
    options: [
      { value: 'dynamic', label: 'Dynamic batch loading' },
      { value: 'constant', label: 'Constant: the corpus’ proportions' },
      { value: 'manual', label: 'Manual weights' },
    ],
  },
  {
    key: 'mixture.weights',
    group: 'mixture',
    label: 'Domain weights',
    kind: 'weights',
    default: [],
    help: 'Starting weights of the domains; empty means the corpus’ own proportions.',
  },
  {
    key: 'mixture.referenceLosses',
    group: 'mixture',
    label: 'Reference losses',
    kind: 'choice',
    default: 'source',
    help: 'What dynamic batch loading compares each domain’s loss with.',
    options: [
      { value: 'source', label: 'The source’s own' },
      { value: 'scaling-law', label: 'Scaling law of the family' },
    ],
  },
  toggle(
    'mixture.clamp',
    'mixture',
    'Clamp excess loss at zero',
    true,
    'The paper’s Algorithm 1 clamps; the authors’ code does not.',
  ),
  number(
    'mixture.smoothing',
    'mixture',
    'Smoothing',
    1e-4,
    [0, 0.5, 1e-4],
    'Share of a uniform mixture that is always blended in (the authors’ code: 0.0001; the paper: 0).',
  ),
  integer('prune.steps', 'prune', 'Steps', 300, [1, 100000, 1], 'Optimiser steps with gates.'),
  integer('prune.batchSize', 'prune', 'Batch size', 16, [1, 1024, 1], 'Windows in a batch.'),
  number(
    'prune.learningRate',
    'prune',
    'Learning rate',
    1.5e-3,
    [0, 1, 1e-4],
    'Peak learning rate of the weights.',
  ),
  number(
    'prune.learningRateWarmup',
    'prune',
    'Warm-up',
    0.1,
    [0, 1, 0.01],
    'Share of the steps over which learning rates rise.',
  ),
  number(
    'prune.learningRateFloor',
    'prune',
    'Floor',
    0.1,
    [0, 1, 0.01],
    'Share of the peak at which the cosine ends.',
  ),
  number(
    'prune.gateLearningRate',
    'prune',
    'Gate learning rate',
    0.5,
    [0, 10, 0.05],
    'Learning rate of log α (published: 1).',
  ),
  number(
    'prune.multiplierLearningRate',
    'prune',
    'Multiplier learning rate',
    0.2,
    [0, 10, 0.05],
    'Ascent rate of λ₁ and λ₂ (published: 1).',
  ),
  number(
    'prune.quadraticMultiplier',
    'prune',
    'λ₂ at the start',
    200,
    [0, 100000, 1],
    'Start of the quadratic multiplier (published: 0).',
  ),
  number(
    'prune.logAlpha',
    'prune',
    'log α at the start',
    3,
    [-4.6, 4.605, 0.1],
    'Where gates start (published: 5, clamped to 4.605).',
  ),
  number(
    'prune.sparsityWarmup',
    'prune',
    'Sparsity warm-up',
    0.5,
    [0, 1, 0.01],
    'Share of the steps over which the target sparsity rises (published: 0.2).',
  ),
  number(
    'prune.temperature',
    'prune',
    'Temperature β',
    2 / 3,
    [0.05, 2, 0.01],
    'Of the hard-concrete distribution (authors’ code 2/3, paper 0.83).',
  ),
  number('prune.weightDecay', 'prune', 'Weight decay', 0, [0, 1, 0.01], 'Decoupled decay of the matrices.'),
  integer('retrain.steps', 'retrain', 'Steps', 300, [1, 1000000, 1], 'Optimiser steps after the cut.'),
  integer('retrain.batchSize', 'retrain', 'Batch size', 16, [1, 1024, 1], 'Windows in a batch.'),
  number('retrain.learningRate', 'retrain', 'Learning rate', 2e-3, [0, 1, 1e-4], 'Peak learning rate.'),
  number(
    'retrain.learningRateWarmup',
    'retrain',
    'Warm-up',
    0.03,
    [0, 1, 0.01],
    'Share of the steps over which the learning rate rises.',
  ),
  number(
    'retrain.learningRateFloor',
    'retrain',
    'Floor',
    0.1,
    [0, 1, 0.01],
    'Share of the peak at which the cosine ends.',
  ),
  number(
    'retrain.weightDecay',
    'retrain',
    'Weight decay',
    0,
    [0, 1, 0.01],
    'Decoupled decay of the matrices.',
  ),
  integer('contextLength', 'run', 'Context', 128, [2, 8192, 1], 'Tokens in a window.'),
  number('clipNorm', 'run', 'Gradient clip', 1, [0.001, 1000, 0.1], 'Largest global gradient norm.'),
  integer(
    'evaluation.interval',
    'run',
    'Evaluate every',
    20,
    [1, 100000, 1],
    'Steps between evaluations and mixture updates.',
  ),
  integer(
    'evaluation.windows',
    'run',
    'Evaluation windows',
    64,
    [1, 4096, 1],
    'Held-out windows of each domain in an evaluation.',
  ),
  integer('seed', 'run', 'Seed', 17, [0, 4294967295, 1], 'Seeds data order and gate noise.'),
];

function fieldSchema(field: Field): z.ZodType {
  const name = `${field.label} (${field.key})`;
  switch (field.kind) {
    case 'integer':
    case 'number': {
      const range = `${name} must be a${field.kind === 'integer' ? ' whole' : ''} number from ${field.min} to ${field.max}`;
      const base = field.kind === 'integer' ? z.int({ error: range }) : z.number({ error: range });
      return base.min(field.min, { error: range }).max(field.max, { error: range });
    }
    case 'boolean':
      return z.boolean({ error: `${name} must be true or false` });
    case 'choice':
      return z.enum(field.options.map((o) => o.value) as [string, ...string[]], {
        error: `${name} must be one of: ${field.options.map((o) => o.value).join(', ')}`,
      });
    case 'name':
      return z
        .string({ error: `${name} must be a name` })
        .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, { error: `${name} must be a short lower-case name` });
    case 'weights': {
      const rule = `${name} must be a list of up to ${MOST_DOMAINS} weights from 0 to 1000, not all zero`;
      return z
        .array(z.number({ error: rule }).min(0, { error: rule }).max(1000, { error: rule }), { error: rule })
        .max(MOST_DOMAINS, { error: rule })
        .refine((w) => w.length === 0 || w.some((x) => x > 0), { error: rule });
    }
  }
}

interface SchemaTree {
  [key: string]: z.ZodType | SchemaTree;
}

function buildSchema(): z.ZodType<Experiment> {
  const tree: SchemaTree = {};
  for (const field of EXPERIMENT_FIELDS) {
    const path = field.key.split('.');
    let node = tree;
    for (const part of path.slice(0, -1)) node = (node[part] ??= {}) as SchemaTree;
    const value = field.kind === 'weights' ? [...field.default] : field.default;
    node[path.at(-1)!] = fieldSchema(field).prefault(value);
  }
  const close = (node: SchemaTree): z.ZodType => {
    const shape = Object.fromEntries(
      Object.entries(node).map(([key, child]) => [
        key,
        child instanceof z.ZodType ? child : close(child).prefault({}),
      ]),
    );
    return z.strictObject(shape);
  };
  tree['version'] = z.literal(1, { error: 'version must be 1' }).prefault(1);
  return close(tree) as z.ZodType<Experiment>;
}

/** Parses an experiment from outside; missing fields take their defaults, unknown ones are refused. */
export const experimentSchema: z.ZodType<Experiment> = buildSchema();

/** Checks an experiment from outside. @throws InputError: one sentence that names the first wrong field. */
export function parseExperiment(json: unknown, subject = 'experiment'): Experiment {
  return checked(experimentSchema, json, subject);
}

/** The experiment in which every field has its default. */
export function defaultExperiment(): Experiment {
  return experimentSchema.parse({});
}

/** public/experiments/index.json: the example experiments that the page offers, in order. */
export const presetListSchema = z
  .array(
    z.strictObject({
      file: z.string().regex(/^[a-z0-9-]+\.json$/),
      title: z.string().min(1).max(60),
      description: z.string().min(1).max(200),
    }),
  )
  .max(50);

export type Preset = z.infer<typeof presetListSchema>[number];
