import type { Slice } from '../gpu/buffers';
import type { Recorder } from '../gpu/program';
import type { StepMetricsOptions } from '../kernels/step-metrics';
import type { BufferPlan } from '../llama/workspace';

/** What an extension may bind while the trainer's program is recorded. */
export interface ExtensionBuffers {
  /** The extension's tensors one after the other, and their gradients in the same places. */
  values: Slice;
  gradient: Slice;
  /** The factors that the model multiplies by, in the gate layout of its configuration. */
  gates: Slice;
  /** Uniform buffer of this step's inputs (`packStepInputs`). */
  step: Slice;
  /** A buffer of the extension's own plan. */
  slice(name: string): Slice;
}

/**
 * A differentiable part that is trained with the weights: its tensors stand behind them in the flat buffers, so
 * the gradient norm covers them and AdamW updates them in the same dispatch. The trainer records it and knows
 * nothing else of it.
 */
export interface TrainerExtension {
  /**
   * Name and start values of two tensors. AdamW's rate is StepInputs.gateLearningRate for the first and
   * StepInputs.multiplierLearningRate for the second; neither decays.
   */
  tensors: readonly [ExtensionTensor, ExtensionTensor];
  /** Buffers that it works in and nobody else. */
  buffers: BufferPlan;
  /** Records what comes before the forward pass; writes `gates`. */
  recordBefore(recorder: Recorder, at: ExtensionBuffers): void;
  /**
   * Records what comes after the backward pass. The first elements of `at.gradient`, one for each gate, hold
   * ∂loss/∂gate on entry; the whole of it must hold the gradient of `at.values` on exit.
   */
  recordAfter(recorder: Recorder, at: ExtensionBuffers): void;
  /**
   * One value for each element of the first tensor, as `recordAfter` leaves them: what AdamW's second moment takes for
   * the square of that element's gradient, before clipping. Absent: every gradient's own.
   */
  squares?(at: ExtensionBuffers): Slice;
  /** Where the step's metrics find the constraint's figures. */
  metrics(at: ExtensionBuffers): NonNullable<StepMetricsOptions['constraint']>;
}

interface ExtensionTensor {
  name: string;
  values: Float32Array;
}
