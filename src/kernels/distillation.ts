import source from '../../shaders/distillation.wgsl?raw';
import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const distillationKernel: Kernel = {
  name: 'distillation',
  code: `${stepInputsSource}\n${source}`,
  entryPoint: 'distillation',
};

const distillationRowKernel: Kernel = { ...distillationKernel, entryPoint: 'distillation_row' };

export interface DistillationOptions {
  /** The student's [rows, vocabulary]; becomes the gradient when `gradientScale` is given. */
  logits: Slice;
  /** The teacher's [rows, vocabulary], only read. */
  teacherLogits: Slice;
  /** u32 [rows]: the next token, or IGNORED_TARGET. */
  targets: Slice;
  /** [rows]: the student's −ln p(target), never scaled; 0 for ignored rows. */
  losses: Slice;
  /** [rows]: KL(softmax(teacher/τ) ‖ softmax(student/τ)) in nats, without τ² and never scaled; 0 for ignored rows. */
  divergences: Slice;
  rows: number;
  vocabulary: number;
  /** What each row weighs in the objective: 1 / (counted rows) for a mean. Absent: losses and divergences only. */
  gradientScale?: number;
  /** Uniform buffer packed by `packStepInputs`: distillationWeight w and distillationTemperature τ are read. */
  step: Slice;
  label: string;
}

/**
 * A student's cross-entropy and its divergence from a teacher, with the gradient of w·τ²·divergence + (1 − w)·loss in
 * place when asked (shaders/distillation.wgsl).
 */
export function distillation(recorder: Recorder, options: DistillationOptions): void {
  const { logits, teacherLogits, targets, losses, divergences, rows, vocabulary } = options;
  const { gradientScale, step, label } = options;
  const software = recorder.profile === 'software';
  const writeGradient = gradientScale !== undefined;
  recorder.dispatch({
    kernel: software ? distillationRowKernel : distillationKernel,
    label,
    uniforms: { rows, vocabulary, writeGradient, scale: gradientScale ?? 0 },
    bindings: [step, logits, teacherLogits, targets, losses, divergences],
    workgroups: foldWorkgroups(software ? Math.ceil(rows / 4) : rows),
    work: {
      // Three sums of four operations, three exponentials of three, five for the divergence, seven for the gradient.
      flops: (writeGradient ? 33 : 26) * rows * vocabulary,
      bytes: 4 * rows * ((writeGradient ? 3 : 2) * vocabulary + 3),
    },
  });
}
