import layoutSource from '../../shaders/gate_layout.wgsl?raw';
import source from '../../shaders/set_squares.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';
import { gateLayoutUniforms, type GateLayout } from './gate-layout';

const setSquaresKernel: Kernel = {
  name: 'set_squares',
  code: `${layoutSource}\n${source}`,
  entryPoint: 'set_squares',
};

export interface SetSquaresOptions {
  /** logα of every gate, in the gates' order: at least [layout.total]. Says which gates are pinned. */
  logAlpha: Slice;
  /** ∂loss/∂logα, in the same places. */
  gradient: Slice;
  /** [layout.total], written: of every gate the mean of its set. */
  squares: Slice;
  layout: GateLayout;
  label: string;
}

/** The mean of g² over the gates of each set that are not pinned; equation in shaders/set_squares.wgsl. */
export function setSquares(recorder: Recorder, options: SetSquaresOptions): void {
  const { logAlpha, gradient, squares, layout, label } = options;
  recorder.dispatch({
    kernel: setSquaresKernel,
    label,
    uniforms: gateLayoutUniforms(layout),
    bindings: [logAlpha, gradient, squares],
    workgroups: [layout.sets.length],
    work: { flops: 2 * layout.total, bytes: 3 * 4 * layout.total },
  });
}
