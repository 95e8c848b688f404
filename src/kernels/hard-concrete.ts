import layoutSource from '../../shaders/gate_layout.wgsl?raw';
import source from '../../shaders/hard_concrete.wgsl?raw';
import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import threefrySource from '../../shaders/threefry.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';
import { gateLayoutUniforms, type GateLayout } from './gate-layout';

const sampleGatesKernel: Kernel = {
  name: 'hard_concrete',
  code: `${stepInputsSource}\n${layoutSource}\n${threefrySource}\n${source}`,
  entryPoint: 'sample_gates',
};

export interface SampleGatesOptions {
  /** logα of every gate, in the gates' order: at least [layout.total]. Clamped in place to ±ln 100. */
  logAlpha: Slice;
  /** z of every gate [layout.total], written. */
  gates: Slice;
  /** Uniform buffer packed by `packStepInputs`: step, seed, temperature and active sets are read. */
  step: Slice;
  layout: GateLayout;
  label: string;
}

/**
 * Draws this step's gates; 1 for the sets that are not learnt. Equations and the noise's definition are in
 * shaders/hard_concrete.wgsl, the float64 twin in hard-concrete-distribution.ts.
 */
export function sampleGates(recorder: Recorder, options: SampleGatesOptions): void {
  const { logAlpha, gates, step, layout, label } = options;
  recorder.dispatch({
    kernel: sampleGatesKernel,
    label,
    uniforms: gateLayoutUniforms(layout),
    bindings: [step, logAlpha, gates],
    workgroups: foldWorkgroups(Math.ceil(layout.total / 64)),
    work: { flops: 10 * layout.total, bytes: 3 * 4 * layout.total },
  });
}
