import source from '../../shaders/argmax.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Recorder } from '../gpu/program';

/** `state[2]` when every logit is finite. */
export const ALL_FINITE = 0xffffffff;

export interface ArgmaxOptions {
  /** [V], V ≥ 1. */
  logits: Slice;
  /** u32 [4]: entry 0 becomes the token; 2 the first place that is not finite, or ALL_FINITE; 3 its bits. */
  state: Slice;
  vocabulary: number;
  label: string;
}

/** Appends the choice of the likeliest token, of equal ones the first: one dispatch (shaders/argmax.wgsl). */
export function argmax(recorder: Recorder, { logits, state, vocabulary, label }: ArgmaxOptions): void {
  recorder.dispatch({
    kernel: { name: 'argmax', code: source, entryPoint: 'argmax' },
    label,
    uniforms: { vocabulary },
    bindings: [logits, state],
    workgroups: [1],
    work: { flops: vocabulary, bytes: 4 * (vocabulary + 3) },
  });
}
