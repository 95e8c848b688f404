import source from '../../shaders/target_rank.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const targetRankKernel: Kernel = { name: 'target_rank', code: source, entryPoint: 'target_rank' };

const targetRankRowKernel: Kernel = { ...targetRankKernel, entryPoint: 'target_rank_row' };

export interface TargetRankOptions {
  /** [rows, vocabulary]. */
  logits: Slice;
  /** u32 [rows]: a token, or IGNORED_TARGET. */
  targets: Slice;
  /** u32 [rows], written: how many tokens greedy decoding prefers to the target; 0 for ignored rows. */
  ranks: Slice;
  rows: number;
  vocabulary: number;
  label: string;
}

/** Place of each row's target in the order of its logits, of equal ones the first (shaders/target_rank.wgsl). */
export function targetRank(recorder: Recorder, options: TargetRankOptions): void {
  const { logits, targets, ranks, rows, vocabulary, label } = options;
  const software = recorder.profile === 'software';
  recorder.dispatch({
    kernel: software ? targetRankRowKernel : targetRankKernel,
    label,
    uniforms: [rows, vocabulary],
    bindings: [logits, targets, ranks],
    workgroups: foldWorkgroups(software ? Math.ceil(rows / 4) : rows),
  });
}
