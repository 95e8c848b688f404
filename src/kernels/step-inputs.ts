/**
 * What changes from step to step and nothing else: one small uniform buffer, written before each submit.
 * The recorded program never changes. Word positions are shared with `shaders/step_inputs.wgsl`.
 */
export interface StepInputs {
  /** Zero-based optimiser step within the stage; with `seed` it keys the gate noise. */
  step: number;
  seed: number;
  /** Slot of the metrics ring that this step writes. */
  ringSlot: number;
  learningRate: number;
  gateLearningRate: number;
  multiplierLearningRate: number;
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  clipNorm: number;
  /** Hard-concrete temperature β. */
  temperature: number;
  /** Bit k set: gate set k is learnt; its gates are 1 otherwise. */
  activeSets: number;
  /** Target sparsity t_k of this step, by set. */
  targetSparsity: readonly [number, number, number, number];
  /** With a teacher: its divergence's share w of the objective, in [0, 1]. Absent: 0. */
  distillationWeight?: number;
  /** With a teacher: what both models' logits are divided by, τ > 0. Absent: 1. */
  distillationTemperature?: number;
}

export const STEP_INPUT_WORDS = 32;

/** Packs the inputs as `shaders/step_inputs.wgsl` reads them; bias corrections are computed here in f64. */
export function packStepInputs(inputs: StepInputs): Uint32Array {
  const words = new Uint32Array(STEP_INPUT_WORDS);
  const floats = new Float32Array(words.buffer);
  words[0] = inputs.step;
  words[1] = inputs.seed >>> 0;
  words[2] = Math.floor(inputs.seed / 4294967296) >>> 0;
  words[3] = inputs.ringSlot;
  floats[4] = inputs.learningRate;
  floats[5] = inputs.gateLearningRate;
  floats[6] = inputs.multiplierLearningRate;
  floats[7] = inputs.weightDecay;
  floats[8] = inputs.beta1;
  floats[9] = inputs.beta2;
  floats[10] = inputs.epsilon;
  floats[11] = inputs.clipNorm;
  floats[12] = 1 - Math.pow(inputs.beta1, inputs.step + 1);
  floats[13] = 1 - Math.pow(inputs.beta2, inputs.step + 1);
  floats[14] = inputs.temperature;
  words[15] = inputs.activeSets;
  floats.set(inputs.targetSparsity, 16);
  floats[20] = inputs.distillationWeight ?? 0;
  floats[21] = inputs.distillationTemperature ?? 1;
  return words;
}
