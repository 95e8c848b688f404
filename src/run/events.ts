import type { AdapterDescription } from '../gpu/device';
import type { GateSet } from '../kernels/step-inputs';
import type { LlamaConfig, TargetShape } from '../llama/config';
import type { Experiment } from '../experiment/schema';

/**
 * A run is an append-only log of these events: charts, tables, CSV, the recorded run and the replay all
 * read this log and nothing else. `elapsedMs` (time in which the run was not paused) is the only part
 * that differs between two runs of one experiment on one adapter.
 */
export type RunEvent = StartedEvent | StepEvent | EvaluationEvent | GatesEvent | SurgeryEvent | FinishedEvent;

export type Stage = 'prune' | 'retrain';

export interface StartedEvent {
  type: 'started';
  experiment: Experiment;
  /** `weightsSha256` is what a model is known by (src/formats/weights-hash.ts); logs before version 0.2 have none. */
  source: { name: string; config: LlamaConfig; parameters: number; weightsSha256?: string | undefined };
  /** Domain names in corpus order; every list by domain below has this order. */
  domains: string[];
  adapter: AdapterDescription;
  version: string;
  /** The source model's own loss by domain on the run's evaluation windows. */
  referenceLoss: number[];
  /**
   * Where the experiment asks for the scaling law: what each domain's loss is compared with instead, at how
   * many parameters the law was read, and whether the family has no model as small or as large.
   */
  scalingLaw?: { loss: number[]; parameters: number; extrapolated: boolean };
  /** Mixture of the first step. */
  mixture: number[];
}

/** One optimiser step. `step` counts from 1 through the whole run; `tokens` are those trained on so far. */
export interface StepEvent {
  type: 'step';
  stage: Stage;
  step: number;
  tokens: number;
  elapsedMs: number;
  loss: number;
  /** Mean training loss of the windows of each domain in this batch; null where it had none. */
  domainLoss: (number | null)[];
  /** Before clipping; null when it was not finite and the step's update was skipped. */
  gradientNorm: number | null;
  learningRate: number;
  /** Only while pruning: the constraint by gate set (sets that are not learnt are left out). */
  lagrangian?: number;
  sparsity?: Partial<Record<GateSet, { expected: number; target: number; lambda1: number; lambda2: number }>>;
}

/** Deterministic masks (or the pruned model) on held-out windows, and the mixture that follows from it. */
export interface EvaluationEvent {
  type: 'evaluation';
  stage: Stage;
  step: number;
  tokens: number;
  elapsedMs: number;
  loss: number[];
  /** Sampling weights from the next step on. */
  mixture: number[];
  /** While pruning: the shape that the gates now round to (units kept in every layer, on average). */
  shape?: TargetShape;
}

/** The deterministic value of every gate before any is cut to 0, 0…255, for the anatomy. */
export interface GatesEvent {
  type: 'gates';
  step: number;
  hidden: number[];
  /** [layer][key/value group] */
  heads: number[][];
  /** [layer][unit] */
  intermediate: number[][];
  layers: number[];
}

/** The cut: what was kept, and that the masked source and the pruned model agree. */
export interface SurgeryEvent {
  type: 'surgery';
  step: number;
  elapsedMs: number;
  config: LlamaConfig;
  parameters: number;
  /** Of the model as cut. */
  weightsSha256?: string | undefined;
  kept: { hidden: number[]; layers: number[]; heads: number[][]; intermediate: number[][] };
  /** Largest absolute difference of f32 logits, masked source against pruned model. */
  maskedVersusPruned: number;
  loss: { masked: number[]; pruned: number[] };
}

export interface FinishedEvent {
  type: 'finished';
  step: number;
  tokens: number;
  elapsedMs: number;
  summary: RunSummary;
}

/** What summary.json says. Losses are nats a token by domain on the run's evaluation windows. */
export interface RunSummary {
  target: TargetShape;
  achieved: TargetShape;
  parameters: { source: number; pruned: number };
  domains: string[];
  loss: { source: number[]; masked: number[]; pruned: number[]; retrained: number[] | null };
  maskedVersusPruned: number;
  mixture: number[];
  tokens: number;
  /** Of the model that came of it in the end. */
  weightsSha256?: string | undefined;
}
