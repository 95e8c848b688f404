import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import source from '../../shaders/step_metrics.wgsl?raw';
import { MOST_DOMAINS } from '../fields/domains';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';
import { MAX_GATE_SETS } from './gate-layout';

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
 * | 56    | mean divergence from the teacher, 0 without one           |
 * | 57    | 1 when the step had a teacher                             |
 * | 58–63 | 0                                                         |
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
    /** Each [MAX_GATE_SETS], by set. */
    expectedSparsity: number[];
    targetSparsity: number[];
    lambda1: number[];
    lambda2: number[];
  } | null;
  /** Mean of the predictions' KL(teacher ‖ student) at the step's temperature, nats; null when the step had no teacher. */
  divergence: number | null;
  /** [MOST_DOMAINS]: mean loss (0 without windows) and windows of each domain in the step's batch. */
  domains: { meanLoss: number; windows: number }[];
}

/** Reads one slot; `words` is the slot's view, STEP_METRICS_WORDS long. */
export function decodeStepMetrics(words: Float32Array): StepMetrics {
  if (words.length !== STEP_METRICS_WORDS) throw new Error(`a metrics slot has ${words.length} words`);
  const at = (word: number) => words[word]!;
  const sets = (first: number) => [...words.subarray(first, first + MAX_GATE_SETS)];
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
    divergence: at(57) === 0 ? null : at(56),
    domains: Array.from({ length: MOST_DOMAINS }, (_, domain) => ({
      meanLoss: at(24 + domain),
      windows: at(40 + domain),
    })),
  };
}

export interface StepMetricsOptions {
  /** [windows, windowLength]: what `crossEntropy` wrote, 0 for ignored rows. */
  losses: Slice;
  /** With a teacher, [windows, windowLength]: what `distillation` wrote, 0 for ignored rows. */
  divergences?: Slice;
  /** u32 [windows]: the domain that each window of the batch came from. */
  windowDomains: Slice;
  windows: number;
  windowLength: number;
  /** Predictions that count in each window: windowLength − 1. */
  predictionsPerWindow: number;
  /** What `globalNorm` wrote. */
  gradientState: Slice;
  /** When gates are learnt: what `constraint` wrote, and the constraint's variables: `gateCount` logα, then λ1 and λ2. */
  constraint?: { state: Slice; variables: Slice; gateCount: number };
  /** [slots, STEP_METRICS_WORDS]; StepInputs.ringSlot chooses the slot. */
  ring: Slice;
  /** Uniform buffer packed by `packStepInputs`. */
  step: Slice;
  label: string;
}

/** Writes one slot of the metrics ring; `decodeStepMetrics` reads it back. */
export function stepMetrics(recorder: Recorder, options: StepMetricsOptions): void {
  const { losses, divergences, windowDomains, windows, windowLength, predictionsPerWindow } = options;
  const { gradientState, constraint, ring, step, label } = options;
  // The entry points bind divergences in any case: without a teacher the losses take their place, unread.
  const shared = [step, losses, windowDomains, gradientState, ring, divergences ?? losses];
  const figures = (divergences ? 2 : 1) * windows * windowLength;
  recorder.dispatch({
    kernel: constraint ? stepMetricsPruningKernel : stepMetricsKernel,
    label,
    uniforms: {
      windows,
      windowLength,
      predictions: predictionsPerWindow,
      multipliers: constraint?.gateCount ?? 0,
      distilled: divergences !== undefined,
    },
    bindings: constraint ? [...shared, constraint.state, constraint.variables] : shared,
    workgroups: [1],
    work: { flops: figures, bytes: 4 * (figures + windows) },
  });
}
