import sharedSource from '../../shaders/rms_norm.wgsl?raw';
import backwardSource from '../../shaders/rms_norm_backward.wgsl?raw';
import forwardSource from '../../shaders/rms_norm_forward.wgsl?raw';
import softwareSource from '../../shaders/software/rms_norm.wgsl?raw';
import softwareBackwardSource from '../../shaders/software/rms_norm_backward.wgsl?raw';
import softwareForwardSource from '../../shaders/software/rms_norm_forward.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { fillTemplate, foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';
import type { Partials } from './column-sum';

/** Rows a workgroup takes at a time; on software adapters each of its invocations has one. */
const ROWS = 8;

const CODE = {
  gpu: {
    forward: `${sharedSource}\n${forwardSource}`,
    backward: `${sharedSource}\n${backwardSource}`,
  },
  software: {
    forward: `${softwareSource}\n${softwareForwardSource}`,
    backward: `${softwareSource}\n${softwareBackwardSource}`,
  },
};

/** What a vector is in shaders/rms_norm.wgsl, and how four gates are read and four sums are added. */
const VECTORS = {
  vec4: {
    VECTOR: 'vec4f',
    WIDTH: 4,
    TOTAL: 'dot(v, V(1))',
    GATES: 'V(gates[4u * j], gates[4u * j + 1u], gates[4u * j + 2u], gates[4u * j + 3u])',
  },
  scalar: { VECTOR: 'f32', WIDTH: 1, TOTAL: 'v', GATES: 'gates[j]' },
};
const STORES = {
  vec4: 'for (var i = 0u; i < WIDTH; i++) { add(to + i, sum[i], again); }',
  scalar: 'add(to, sum, again);',
};

function kernel(
  pass: 'forward' | 'backward',
  profile: KernelProfile,
  { branch, hidden, weightOffset }: { branch?: unknown; hidden: number; weightOffset: number },
): Kernel {
  const entryPoint = `rms_norm_${pass}${branch ? '_branch' : ''}`;
  if (profile === 'software') return { name: 'rms_norm by rows', code: CODE.software[pass], entryPoint };
  const width = hidden % 4 === 0 && weightOffset % 4 === 0 ? 'vec4' : 'scalar';
  const places = { ...VECTORS[width], ...(pass === 'backward' && { STORES: STORES[width] }) };
  return { name: `rms_norm ${width}`, code: fillTemplate(CODE.gpu[pass], places), entryPoint };
}

/** RMSNorm with hidden gates, and the residual add before it (docs/method.md, section 2; shaders/rms_norm.wgsl). */
export interface RmsNormForward {
  /** [rows, hidden]: the residual stream before the branch, or, without a branch, what is normed. */
  x: Slice;
  /** The branch's output [rows, hidden], and its layer gate as an element of `gates`. */
  branch?: { output: Slice; layerGate: number };
  /** [rows, hidden]: x + z_layer·z_hidden·output; written only with a branch, and needed then. */
  residual?: Slice;
  /** All norm weights, of which this norm's [hidden] start at element `weightOffset`. */
  weights: Slice;
  weightOffset: number;
  /** The flat gate buffer, which starts with the hidden gates. */
  gates: Slice;
  /** [rows, hidden] */
  y: Slice;
  rows: number;
  hidden: number;
  epsilon: number;
  label: string;
}

/** @throws when there is a branch without a residual to write. */
export function rmsNormForward(recorder: Recorder, options: RmsNormForward): void {
  const { x, branch, residual, weights, weightOffset, gates, y, rows, hidden, epsilon, label } = options;
  if (branch && !residual) throw new Error(`${label}: a branch needs a residual to write`);
  recorder.dispatch({
    kernel: kernel('forward', recorder.profile, options),
    label,
    uniforms: {
      rows,
      hidden,
      weightOffset,
      layerGate: branch?.layerGate ?? 0,
      epsilon,
    },
    bindings: branch && residual ? [x, weights, gates, y, branch.output, residual] : [x, weights, gates, y],
    workgroups: foldWorkgroups(Math.ceil(rows / ROWS)),
    work: {
      flops: (branch ? 7 : 5) * rows * hidden,
      bytes: 4 * hidden * ((branch ? 4 : 2) * rows + 2),
    },
  });
}

export interface RmsNormBackward {
  /** [rows, hidden]: what was normed, that is the residual when there is a branch. */
  x: Slice;
  weights: Slice;
  weightOffset: number;
  gates: Slice;
  /** [rows, hidden] */
  dY: Slice;
  /** [rows, hidden], updated in place: the gradient of x. */
  dX: Slice;
  /** False: dX starts from zero, whatever it holds. */
  addToResidual: boolean;
  /** dOutput [rows, hidden] = dX·z_layer·z_hidden with the updated dX. */
  branch?: { output: Slice; layerGate: number; dOutput: Slice };
  /** Written at the columns below, `hidden` each: dw, dz_hidden of the norm and S = Σ dX·output. */
  partials: Partials;
  weightColumn: number;
  hiddenGateColumn: number;
  /** Needed with a branch. */
  branchColumn?: number;
  rows: number;
  hidden: number;
  epsilon: number;
  label: string;
}

/** @throws when there is a branch without a column for its sums. */
export function rmsNormBackward(recorder: Recorder, options: RmsNormBackward): void {
  const { x, weights, weightOffset, gates, dY, dX, branch, partials, rows, hidden, label } = options;
  if (branch && options.branchColumn === undefined) throw new Error(`${label}: a branch needs a column`);
  recorder.dispatch({
    kernel: kernel('backward', recorder.profile, options),
    label,
    uniforms: {
      rows,
      hidden,
      weightOffset,
      layerGate: branch?.layerGate ?? 0,
      epsilon: options.epsilon,
      addToResidual: options.addToResidual,
      blocks: partials.blocks,
      columns: partials.columns,
      weightColumn: options.weightColumn,
      hiddenGateColumn: options.hiddenGateColumn,
      branchColumn: options.branchColumn ?? 0,
    },
    bindings: [
      ...[x, weights, gates, dY, dX, partials.slice],
      ...(branch ? [branch.output, branch.dOutput] : []),
    ],
    workgroups:
      recorder.profile === 'software' ? foldWorkgroups(Math.ceil(partials.blocks / ROWS)) : [partials.blocks],
    // x and dY in, dX out, dX in where it is added to, the branch's output in and its gradient out; sums.
    work: {
      flops: (branch ? 18 : 14) * rows * hidden,
      bytes:
        4 *
        hidden *
        ((3 + (options.addToResidual ? 1 : 0) + (branch ? 2 : 0)) * rows +
          (branch ? 3 : 2) * partials.blocks +
          2),
    },
  });
}
