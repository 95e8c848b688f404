import { z } from 'zod';
import {
  choice,
  integer,
  name,
  number,
  optionsOf,
  pinsField,
  toggle,
  weightsField,
  type ValueOf,
} from '../fields/field';
import { listFields, treeSchema, type TableField } from '../fields/table';
import { checked } from '../formats/refusal';
import { basisField } from '../pruning/basis/fields';
import { METHODS } from '../pruning/methods';
import { oneShot } from '../pruning/methods/one-shot';
import { sheared } from '../pruning/methods/sheared';
import { RETRAININGS } from '../retraining';
import { continued } from '../retraining/continued';
import { distillation } from '../retraining/distillation';
import { lora } from '../retraining/lora';

/**
 * What a run is: the one table of fields. It gives the type, the defaults, the limits, the form, the permalink's
 * keys, the reset buttons and docs/experiment.md; methods and retrainings bring their own fields.
 */
const EXPERIMENT_TABLE = {
  /** Folder name under public/models, or `local` for a model that the visitor opened. */
  source: name('Source model', 'nano', 'The model that is pruned.'),
  target: {
    numHiddenLayers: integer('Layers', 4, [1, 256, 1], 'Transformer blocks that are kept.', 'until-cut'),
    hiddenSize: integer(
      'Hidden size',
      48,
      [1, 65536, 1],
      'Dimensions of the residual stream that are kept.',
      'until-cut',
    ),
    numAttentionHeads: integer(
      'Attention heads',
      3,
      [1, 1024, 1],
      'Attention heads kept in every layer.',
      'until-cut',
    ),
    intermediateSize: integer(
      'MLP width',
      128,
      [1, 262144, 1],
      'MLP units kept in every layer.',
      'until-cut',
    ),
  },
  method: choice('Method', 'sheared', optionsOf(METHODS), 'How the units to keep are chosen.'),
  basis: basisField,
  scores: oneShot.fields.scores,
  race: oneShot.fields.race,
  calibration: oneShot.fields.calibration,
  gates: sheared.fields.gates,
  pins: pinsField(
    'Pins',
    'Units closed (-) or kept (!) by hand, such as a2.1- (head 1 of layer 2), m0.17! (an MLP unit), d5- (a hidden dimension), l3! (a layer).',
    'until-cut',
  ),
  retraining: choice('Retraining', 'continued', optionsOf(RETRAININGS), 'What happens after the cut.'),
  mixture: {
    mode: choice(
      'Mixture',
      'dynamic',
      [
        { value: 'dynamic', label: 'Dynamic batch loading' },
        { value: 'constant', label: 'Constant: the corpus’ proportions' },
        { value: 'manual', label: 'Manual weights' },
      ],
      'How training windows are drawn from the domains.',
      'until-end',
    ),
    /** Sampling weights of the corpus' domains in manifest order; empty: the corpus' own proportions. */
    weights: weightsField(
      'Domain weights',
      'Starting weights of the domains; empty means the corpus’ own proportions.',
      'until-end',
    ),
    /** The source model's own, or what the scaling law of its family gives for the target's size. */
    retraining: choice(
      'Mixture after the cut',
      'carried',
      [
        { value: 'carried', label: 'As pruning left it' },
        { value: 'corpus', label: 'The corpus’ proportions again' },
        { value: 'uniform', label: 'Every domain alike' },
      ],
      'The mixture that retraining begins with; with manual weights these stay.',
    ),
    referenceLosses: choice(
      'Reference losses',
      'source',
      [
        { value: 'source', label: 'The source’s own' },
        { value: 'scaling-law', label: 'Scaling law of the family' },
      ],
      'What dynamic batch loading compares each domain’s loss with.',
    ),
    clamp: toggle(
      'Clamp excess loss at zero',
      true,
      'The paper’s Algorithm 1 clamps; the authors’ code does not.',
    ),
    smoothing: number(
      'Smoothing',
      1e-4,
      [0, 0.5, 1e-4],
      'Share of a uniform mixture that is always blended in (the authors’ code: 0.0001; the paper: 0).',
    ),
  },
  prune: sheared.fields.prune,
  retrain: continued.fields.retrain,
  lora: lora.fields.lora,
  distillation: distillation.fields,
  contextLength: integer('Context', 128, [2, 8192, 1], 'Tokens in a window.'),
  clipNorm: number('Gradient clip', 1, [0.001, 1000, 0.1], 'Largest global gradient norm.', 'until-end'),
  evaluation: {
    interval: integer(
      'Evaluate every',
      20,
      [1, 100000, 1],
      'Steps between evaluations and mixture updates.',
      'until-end',
    ),
    windows: integer(
      'Evaluation windows',
      64,
      [1, 4096, 1],
      'Held-out windows of each domain in an evaluation.',
    ),
  },
  checkpoint: {
    interval: integer(
      'Checkpoint every',
      50,
      [1, 100000, 1],
      'Steps between the points from which an interrupted run can be taken up again.',
      'until-end',
    ),
  },
  seed: integer('Seed', 17, [0, 4294967295, 1], 'Seeds data order and gate noise.'),
} as const;

/** What a run is: plain, versioned data. */
export type Experiment = { version: 2 } & ValueOf<typeof EXPERIMENT_TABLE>;

/** A field of an experiment: its `key` is its dotted path, and its name in a link. */
export type Field = TableField;

/** Every field of an experiment, once. */
export const EXPERIMENT_FIELDS: readonly Field[] = listFields(EXPERIMENT_TABLE);

const FIELDS_BY_KEY = new Map(EXPERIMENT_FIELDS.map((field) => [field.key, field]));

/** The field with this key, or undefined. */
export function findField(key: string): Field | undefined {
  return FIELDS_BY_KEY.get(key);
}

export type FieldGroup =
  'target' | 'method' | 'scores' | 'mixture' | 'prune' | 'retrain' | 'adapters' | 'distillation' | 'run';

const GROUPS: Record<string, FieldGroup> = {
  source: 'target',
  target: 'target',
  method: 'method',
  basis: 'method',
  scores: 'scores',
  race: 'scores',
  calibration: 'scores',
  gates: 'method',
  pins: 'method',
  mixture: 'mixture',
  prune: 'prune',
  retraining: 'retrain',
  retrain: 'retrain',
  lora: 'adapters',
  distillation: 'distillation',
};

/** The part of the form in which a field stands. */
export function groupOf({ key }: Field): FieldGroup {
  return GROUPS[key.split('.')[0]!] ?? 'run';
}

const schema = treeSchema(EXPERIMENT_TABLE) as unknown as z.ZodObject;

/**
 * What a field that is missing meant in version 1, where that is not its default any more: learnt masks from a flat
 * start, in the model's own dimensions and without a teacher. Logs, checkpoints, files and links of that time keep
 * their meaning.
 */
const MISSING_IN_VERSION_1 = {
  basis: 'own',
  prune: {
    steps: 300,
    learningRate: 1.5e-3,
    gateLearningRate: 0.5,
    multiplierLearningRate: 0.2,
    warmStart: false,
    reachable: false,
    foldAtOne: false,
  },
  retrain: { steps: 300, learningRate: 2e-3 },
  distillation: { weight: 0 },
};

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An experiment of version 1 as one of version 2; anything else as it is. */
function upgraded(json: unknown): unknown {
  if (!isGroup(json) || json['version'] !== 1) return json;
  const missing = Object.entries(MISSING_IN_VERSION_1).map(([group, values]) => {
    const given = json[group];
    if (given === undefined) return [group, values];
    return [group, isGroup(given) && isGroup(values) ? { ...values, ...given } : given];
  });
  return { ...json, ...Object.fromEntries(missing), version: 2 };
}

/** Parses an experiment from outside; missing fields take their defaults, unknown ones are refused. */
export const experimentSchema = z.preprocess(
  upgraded,
  schema.extend({ version: z.literal(2, { error: 'version must be 1 or 2' }).prefault(2) }),
) as unknown as z.ZodType<Experiment>;

/** Checks an experiment from outside. @throws InputError: one sentence that names the first wrong field. */
export function parseExperiment(json: unknown, subject = 'experiment'): Experiment {
  return checked(experimentSchema, json, subject);
}

/** The experiment in which every field has its default: that of now, or that of version 1. */
export function defaultExperiment(version: 1 | 2 = 2): Experiment {
  return experimentSchema.parse({ version });
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
