import source from '../../shaders/gate_gradient.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const gateGradientKernel: Kernel = {
  name: 'gate_gradient',
  code: source,
  entryPoint: 'gate_gradient',
};

export interface GateGradientOptions {
  /**
   * Column sums over all rows, in order: the norms' hidden gates [2L + 1, hidden], the branch sums
   * [2L, hidden], intermediate [L, intermediate], heads [L, keyValueHeads].
   */
  sums: Slice;
  /** The model's whole gate buffer. */
  gates: Slice;
  /** ∂loss/∂z of every gate, laid out as the gates: hidden | heads | intermediate | layers; written. Not a part of the buffers above. */
  gradient: Slice;
  hidden: number;
  layers: number;
  keyValueHeads: number;
  intermediate: number;
  label: string;
}

/** Every gate's gradient from the backward's column sums; equations in shaders/gate_gradient.wgsl. */
export function gateGradient(recorder: Recorder, options: GateGradientOptions): void {
  const { sums, gates, gradient, hidden, layers, keyValueHeads, intermediate, label } = options;
  const copied = layers * (keyValueHeads + intermediate);
  recorder.dispatch({
    kernel: gateGradientKernel,
    label,
    uniforms: { hidden, layers, keyValueHeads, intermediate },
    bindings: [sums, gates, gradient],
    workgroups: foldWorkgroups(Math.ceil(hidden / 64) + Math.ceil(copied / 64) + layers),
    work: {
      flops: (6 * layers + 1) * hidden,
      bytes: 4 * ((4 * layers + 1) * hidden + 2 * copied + 2 * (hidden + layers)),
    },
  });
}
