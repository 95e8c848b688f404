import source from '../../shaders/dropout.wgsl?raw';
import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import threefrySource from '../../shaders/threefry.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const dropoutKernel: Kernel = {
  name: 'dropout',
  code: `${stepInputsSource}\n${threefrySource}\n${source}`,
  entryPoint: 'dropout',
};

/** Sites that have noise of their own: their numbers fill the bits that a seed leaves. */
export const MAX_DROPOUT_SITES = 2047;

export interface DropoutOptions {
  /** [elements] */
  x: Slice;
  /** [elements], written; another buffer. */
  y: Slice;
  elements: number;
  /** Probability that an element is dropped, in [0, 1). */
  rate: number;
  /** Below `MAX_DROPOUT_SITES`: the same site has the same mask within a step, others have others. */
  site: number;
  /** y += instead of y =: how a gradient goes on. */
  accumulate?: boolean;
  /** Uniform buffer packed by `packStepInputs`: step and seed are read. */
  step: Slice;
  label: string;
}

/** y (+)= x with elements dropped and the others scaled by 1/(1 − rate) (shaders/dropout.wgsl). @throws on a site beyond the last. */
export function dropout(recorder: Recorder, options: DropoutOptions): void {
  const { x, y, elements, rate, site, accumulate = false, step, label } = options;
  if (site >= MAX_DROPOUT_SITES) throw new Error(`${label}: dropout has no noise for site ${site}`);
  recorder.dispatch({
    kernel: dropoutKernel,
    label,
    uniforms: { elements, site, threshold: Math.round(rate * 2 ** 32), accumulate, scale: 1 / (1 - rate) },
    bindings: [step, x, y],
    workgroups: foldWorkgroups(Math.ceil(elements / 256)),
    work: { flops: elements, bytes: 4 * (accumulate ? 3 : 2) * elements },
  });
}
