import source from '../../shaders/global_norm.wgsl?raw';
import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';

const code = `${stepInputsSource}\n${source}`;

const globalNormPartialsKernel: Kernel = {
  name: 'global_norm',
  code,
  entryPoint: 'global_norm_partials',
};

const globalNormStateKernel: Kernel = { name: 'global_norm', code, entryPoint: 'global_norm_state' };

/** Threads of the first dispatch, each with its own partial sum: enough to fill a GPU. */
const MAX_PARTIALS = 16_384;
/** Gradients of one workgroup below which another is not worth its start. */
const ELEMENTS_PER_WORKGROUP = 1024;

/** Elements of `globalNorm`'s scratch buffer. */
export const GLOBAL_NORM_SCRATCH_ELEMENTS = 2 * MAX_PARTIALS;

/** Words of the state: gradient norm, clip scale, non-finite flag (0 or 1), unused. */
export const GRADIENT_STATE_ELEMENTS = 4;

export interface GlobalNormOptions {
  /** The flat gradient buffer; its whole size counts. */
  gradient: Slice;
  /** [GLOBAL_NORM_SCRATCH_ELEMENTS] */
  scratch: Slice;
  /** [GRADIENT_STATE_ELEMENTS], written. */
  state: Slice;
  /** Uniform buffer packed by `packStepInputs`: clipNorm is read; 0 means no clipping. */
  step: Slice;
  label: string;
}

/**
 * Norm of all gradients together, min(1, clip / (norm + 1e-6)) and a flag for infinities and NaN, which makes
 * `adamw` skip the step. Two dispatches; shaders/global_norm.wgsl says how the flag is found.
 */
export function globalNorm(
  recorder: Recorder,
  { gradient, scratch, state, step, label }: GlobalNormOptions,
): void {
  const elements = gradient.size / 4;
  const partials = Math.min(MAX_PARTIALS, 64 * Math.ceil(elements / ELEMENTS_PER_WORKGROUP));
  recorder.dispatch({
    kernel: globalNormPartialsKernel,
    label: `${label} partial sums`,
    uniforms: { elements, partials },
    bindings: [gradient, scratch],
    workgroups: [partials / 64],
    work: { flops: 2 * elements, bytes: 4 * (elements + 2 * partials) },
  });
  recorder.dispatch({
    kernel: globalNormStateKernel,
    label,
    uniforms: { elements, partials },
    bindings: [step, scratch, state],
    workgroups: [1],
    work: { flops: 2 * partials, bytes: 4 * 2 * partials },
  });
}
