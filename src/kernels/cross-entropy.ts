import source from '../../shaders/cross_entropy.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { asWord, foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

/** A target that counts for nothing: its loss and its gradient are zero. */
export const IGNORED_TARGET = 0xffffffff;

const crossEntropyKernel: Kernel = {
  name: 'cross_entropy',
  code: source,
  entryPoint: 'cross_entropy',
};

const crossEntropyRowKernel: Kernel = { ...crossEntropyKernel, entryPoint: 'cross_entropy_row' };

export interface CrossEntropyOptions {
  /** [rows, vocabulary]; becomes the gradient when `gradientScale` is given. */
  logits: Slice;
  /** u32 [rows]: the next token, or IGNORED_TARGET. */
  targets: Slice;
  /** [rows]: −ln p(target), never scaled; 0 for ignored rows. */
  losses: Slice;
  rows: number;
  vocabulary: number;
  /** What each row's loss weighs in the objective: 1 / (counted rows) for a mean. Absent: losses only. */
  gradientScale?: number;
  label: string;
}

/** Softmax cross-entropy of each row, with the gradient in place when asked (shaders/cross_entropy.wgsl). */
export function crossEntropy(recorder: Recorder, options: CrossEntropyOptions): void {
  const { logits, targets, losses, rows, vocabulary, gradientScale, label } = options;
  const software = recorder.profile === 'software';
  recorder.dispatch({
    kernel: software ? crossEntropyRowKernel : crossEntropyKernel,
    label,
    uniforms: [rows, vocabulary, gradientScale === undefined ? 0 : 1, asWord(gradientScale ?? 0)],
    bindings: [logits, targets, losses],
    workgroups: foldWorkgroups(software ? Math.ceil(rows / 4) : rows),
  });
}
