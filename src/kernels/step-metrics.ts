import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import source from '../../shaders/step_metrics.wgsl?raw';
import { MOST_DOMAINS } from '../fields/domains';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';
import type { GateSet } from './step-inputs';

const code = `${stepInputsSource}\n${source}`;

const stepMetricsKernel: Kernel = { name: 'step_metrics', code, entryPoint: 'step_metrics' };

const stepMetricsPruningKernel: Kernel = {
  name: 'step_metrics',
  code,
  entryPoint: 'step_metrics_pruning',
};

/** f32 words of one slot of the metrics ring. */
export const STEP_METRICS_WORDS = 64;

/**
 * A slot of the ring, word by word:
 *
 * | words | value                                                     |
 * | 0     | step (StepInputs.step)                                    |
 * | 1     | mean loss of all predictions                              |
 * | 2     | gradient norm before clipping, 0 when not finite          |
 * | 3     | 1 when a gradient was not finite and the step was skipped |
 * | 4     | Lagrangian, summed over the sets                          |
 * | 5     | learning rate of the weights                              |
 * | 6     | 1 when the constraint's words (4, 8–23) are filled        |
 * | 7     | clip scale                                                |
 * | 8–11  | mean expected sparsity of each gate set                   |
 * | 12–15 | target sparsity of each set                               |
 * | 16–19 | λ1 of each set, after this step's update if recorded so   |
 * | 20–23 | λ2 of each set, likewise                                  |
 * | 24–39 | mean loss of each domain, 0 without windows               |
 * | 40–55 | windows of each domain                                    |
 * | 56–63 | 0                                                         |
 */
export interface StepMetrics {
  step: number;
  meanLoss: number;
  gradientNorm: number;
  nonFinite: boolean;
  learningRate: number;
  clipScale: number;
  /** Null when the step had no constraint. */
  constraint: {
    lagrangian: number;
    expectedSparsity: Record<GateSet, number>;
    targetSparsity: Record<GateSet, number>;
    lambda1: Record<GateSet, number>;
    lambda2: Record<GateSet, number>;
  } | null;
  /** [MOST_DOMAINS]: mean loss (0 without windows) and windows of each domain in the step's batch. */
  domains: { meanLoss: number; windows: number }[];
}

/** Reads one slot; `words` is the slot's view, STEP_METRICS_WORDS long. */
export function decodeStepMetrics(words: Float32Array): StepMetrics {
  if (words.length !== STEP_METRICS_WORDS) throw new Error(`a metrics slot has ${words.length} words`);
  const at = (word: number) => words[word]!;
  const sets = (first: number): Record<GateSet, number> => ({
    hidden: at(first),
    head: at(first + 1),
    intermediate: at(first + 2),
    layer: at(first + 3),
  });
  return {
    step: at(0),
    meanLoss: at(1),
    gradientNorm: at(2),
    nonFinite: at(3) !== 0,
    learningRate: at(5),
    clipScale: at(7),
    constraint:
      at(6) === 0
        ? null
        : {
            lagrangian: at(4),
            expectedSparsity: sets(8),
            targetSparsity: sets(12),
            lambda1: sets(16),
            lambda2: sets(20),
          },
    domains: Array.from({ length: MOST_DOMAINS }, (_, domain) => ({
      meanLoss: at(24 + domain),
      windows: at(40 + domain),
    })),
  };
}

export interface StepMetricsOptions {
  /** [windows, windowLength]: what `crossEntropy` wrote, 0 for ignored rows. */
  losses: Slice;
  /** u32 [windows]: the domain that each window of the batch came from. */
  windowDomains: Slice;
  windows: number;
  windowLength: number;
  /** Predictions that count in each window: windowLength − 1. */
  predictionsPerWindow: number;
  /** What `globalNorm` wrote. */
  gradientState: Slice;
  /** When gates are learnt: what `constraint` wrote, and the parameters' tail with λ behind `gateCount` logα. */
  constraint?: { state: Slice; tail: Slice; gateCount: number };
  /** [slots, STEP_METRICS_WORDS]; StepInputs.ringSlot chooses the slot. */
  ring: Slice;
  /** Uniform buffer packed by `packStepInputs`. */
  step: Slice;
  label: string;
}

/** Writes one slot of the metrics ring; `decodeStepMetrics` reads it back. */
export function stepMetrics(recorder: Recorder, options: StepMetricsOptions): void {
  const { losses, windowDomains, windows, windowLength, predictionsPerWindow } = options;
  const { gradientState, constraint, ring, step, label } = options;
  const shared = [step, losses, windowDomains, gradientState, ring];
  recorder.dispatch({
    kernel: constraint ? stepMetricsPruningKernel : stepMetricsKernel,
    label,
    uniforms: [windows, windowLength, predictionsPerWindow, constraint?.gateCount ?? 0],
    bindings: constraint ? [...shared, constraint.state, constraint.tail] : shared,
    workgroups: [1],
  });
}
