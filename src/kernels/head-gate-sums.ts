import source from '../../shaders/head_gate_sums.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';

const headGateSumsKernel: Kernel = { name: 'head_gate_sums', code: source, entryPoint: 'head_gate_sums' };

/** The gradients of all layers' head gates from the D of `attentionBackward`: one dispatch. */
export function headGateSums(
  recorder: Recorder,
  options: {
    /** [layers, rows, heads], layers `stride` elements apart. */
    delta: Slice;
    stride: number;
    /** The flat gate buffer, and the element where the head gates [layers, keyValueHeads] start. */
    gates: Slice;
    headGate: number;
    /** Written from element `to` on: [layers, keyValueHeads]. */
    sums: Slice;
    to: number;
    layers: number;
    rows: number;
    heads: number;
    keyValueHeads: number;
    label: string;
  },
): void {
  const { delta, stride, gates, headGate, sums, to, layers, rows, heads, keyValueHeads, label } = options;
  recorder.dispatch({
    kernel: headGateSumsKernel,
    label,
    uniforms: { rows, heads, groups: keyValueHeads, stride, headGate, to },
    bindings: [delta, gates, sums],
    workgroups: [keyValueHeads, layers],
    work: {
      flops: layers * rows * heads,
      bytes: 4 * layers * (rows * heads + 2 * keyValueHeads),
    },
  });
}
