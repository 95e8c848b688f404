import type { Estimate, TaskResult } from '../evaluation/result';
import type { Speed } from '../evaluation/speed';
import type { AdapterDescription } from '../gpu/device';
import type { TargetShape } from '../llama/config';
import type { Spent } from './cost';
import type { Experiment } from '../experiment/schema';

/** The models that a report can compare, in its order. */
export const ARMS = ['source', 'pruned', 'retrained', 'scratch', 'rewarmed', 'family'] as const;

/** Those that are compared unless others are asked for: the source trained on costs as much as the run. */
export const USUAL_ARMS: readonly Arm[] = ARMS.filter((arm) => arm !== 'rewarmed');

/**
 * `pruned`: as cut, before retraining. `scratch`: the control. `rewarmed`: the source itself, trained on as long. `family`: the member of the source's family that is
 * closest to the target in block parameters.
 */
export type Arm = (typeof ARMS)[number];

/** A task as a report names it. */
export type ReportTask = Pick<TaskResult['task'], 'name' | 'title' | 'metric' | 'chance'> & { items: number };

/** What one model is, costs and reaches. */
export interface ArmReport {
  arm: Arm;
  /** The model's own name, where it has one. */
  model: string;
  shape: TargetShape;
  parameters: { all: number; blocks: number };
  /** Forward, averaged over a window. */
  flopsPerToken: number;
  /** Null for a model without a card. That of `pruned` and `retrained` counts from the source model on. */
  spent: Spent | null;
  /** Bytes: of the weights as f32, and of the GPU while it runs one window. */
  memory: { weights: number; running: number };
  speed: Speed;
  /** Nats a token by domain. */
  loss: number[];
  /** In the order of the report's tasks. */
  tasks: { accuracy: Estimate; perplexity: Estimate | null }[];
}

/** Models side by side on one held-out text and one set of tasks: plain data that is stored, posted and drawn. */
export interface EvaluationReport {
  format: 'shear-lab report';
  formatVersion: 1;
  version: string;
  adapter: AdapterDescription;
  source: string;
  /** What it is known by (src/formats/weights-hash.ts); null where there are no digests. */
  sourceSha256: string | null;
  experiment: Experiment;
  /** How the control was trained; null when it is not part of the report. */
  scratch: Experiment['retrain'] | null;
  /** Name of the closest member of the family; null when it was not asked for, or there is no family. */
  closestMember: string | null;
  /** Held-out text that no training and no mixture has seen, and the predictions measured in each domain. */
  domains: { name: string; title: string; predictions: number }[];
  tasks: ReportTask[];
  arms: ArmReport[];
  /** Accuracy of `retrained` minus that of `scratch`, item by item, in the order of the tasks; null without both. */
  overScratch: Estimate[] | null;
}
