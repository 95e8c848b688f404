import source from '../../shaders/swiglu.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';
import type { Partials } from './column-sum';

const swigluForwardKernel: Kernel = {
  name: 'swiglu forward',
  code: source,
  entryPoint: 'swiglu_forward',
};

const swigluBackwardKernel: Kernel = {
  name: 'swiglu backward',
  code: source,
  entryPoint: 'swiglu_backward',
};

export interface SwigluForwardOptions {
  /** [rows, 2·intermediate]: a row is the gate projection, then the up projection. */
  gateUp: Slice;
  /** The model's whole gate buffer. */
  gates: Slice;
  /** Element of `gates` where this layer's intermediate gates start. */
  intermediateGate: number;
  /** [rows, intermediate], written. */
  act: Slice;
  rows: number;
  intermediate: number;
  label: string;
}

/** act = silu(g) · u · z (shaders/swiglu.wgsl). A closed unit (z = 0) gives exactly 0. */
export function swigluForward(recorder: Recorder, options: SwigluForwardOptions): void {
  const { gateUp, gates, intermediateGate, act, rows, intermediate, label } = options;
  recorder.dispatch({
    kernel: swigluForwardKernel,
    label,
    uniforms: {
      rows,
      intermediate,
      gateOffset: intermediateGate,
      blocks: 0,
      partialStride: 0,
      partialColumn: 0,
    },
    bindings: [gateUp, gates, act],
    workgroups: [Math.ceil(intermediate / 64), Math.ceil(rows / 8)],
    work: { flops: 6 * rows * intermediate, bytes: 4 * intermediate * (3 * rows + 1) },
  });
}

export interface SwigluBackwardOptions {
  /** [rows, 2·intermediate]: the forward's input; becomes its own gradient. */
  gateUp: Slice;
  /** [rows, intermediate]: gradient of the forward's `act`. */
  dAct: Slice;
  gates: Slice;
  intermediateGate: number;
  /** Receives dz of this layer's intermediate gates, summed over each block's rows. */
  partials: Partials;
  /** Column of `partials` where this layer's intermediate gates start. */
  intermediateGateColumn: number;
  rows: number;
  intermediate: number;
  label: string;
}

/** Gradients of `swigluForward`, in place; equations in shaders/swiglu.wgsl. */
export function swigluBackward(recorder: Recorder, options: SwigluBackwardOptions): void {
  const {
    gateUp,
    dAct,
    gates,
    intermediateGate,
    partials,
    intermediateGateColumn,
    rows,
    intermediate,
    label,
  } = options;
  recorder.dispatch({
    kernel: swigluBackwardKernel,
    label,
    uniforms: {
      rows,
      intermediate,
      gateOffset: intermediateGate,
      blocks: partials.blocks,
      partialStride: partials.columns,
      partialColumn: intermediateGateColumn,
    },
    bindings: [gateUp, dAct, gates, partials.slice],
    workgroups: [Math.ceil(intermediate / 64), partials.blocks],
    work: { flops: 16 * rows * intermediate, bytes: 4 * intermediate * (5 * rows + partials.blocks + 1) },
  });
}
