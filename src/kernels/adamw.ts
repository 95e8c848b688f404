import source from '../../shaders/adamw.wgsl?raw';
import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const code = `${stepInputsSource}\n${source}`;

const adamwKernel: Kernel = { name: 'adamw', code, entryPoint: 'adamw' };

const adamwSharedKernel: Kernel = { name: 'adamw', code, entryPoint: 'adamw_shared' };

/** Ends of the element ranges of the flat buffer, each starting where the one before ends. */
export interface ParameterGroups {
  /** Weights with decay: [0, decayEnd). */
  decayEnd: number;
  /** Weights without decay: [decayEnd, weightEnd). */
  weightEnd: number;
  /** logα of the gates: [weightEnd, gateEnd). Equal to weightEnd when nothing is pruned. */
  gateEnd: number;
  /** Lagrange multipliers: [gateEnd, elements). */
  elements: number;
}

export interface AdamwOptions {
  /** Four flat buffers of the same layout, at least [groups.elements]; all but the gradient are updated. */
  parameters: Slice;
  gradient: Slice;
  firstMoment: Slice;
  secondMoment: Slice;
  /** What `globalNorm` wrote: the clip scale, and the flag that makes the step do nothing. */
  gradientState: Slice;
  /** [gateEnd − weightEnd]: what counts as the square of each gate's gradient, before clipping. Absent: its own. */
  squares?: Slice | undefined;
  groups: ParameterGroups;
  /** Uniform buffer packed by `packStepInputs`: rates, betas, bias corrections, ε and weight decay are read. */
  step: Slice;
  label: string;
}

/** One AdamW step over everything that is trained, in one dispatch; equations in shaders/adamw.wgsl. */
export function adamw(recorder: Recorder, options: AdamwOptions): void {
  const { parameters, gradient, firstMoment, secondMoment, gradientState, squares, groups, step, label } =
    options;
  recorder.dispatch({
    kernel: squares ? adamwSharedKernel : adamwKernel,
    label,
    uniforms: { ...groups },
    bindings: [
      step,
      gradientState,
      parameters,
      gradient,
      firstMoment,
      secondMoment,
      ...(squares ? [squares] : []),
    ],
    workgroups: foldWorkgroups(Math.ceil(groups.elements / 2048)),
    // Reads four buffers, writes three.
    work: { flops: 14 * groups.elements, bytes: 7 * 4 * groups.elements },
  });
}
