import source from '../../shaders/rms_norm.wgsl?raw';
import rowsSource from '../../shaders/rms_norm_rows.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { asWord, foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';
import type { Partials } from './column-sum';

/** Rows a workgroup of `rms_norm.wgsl` takes at a time, and of `rms_norm_rows.wgsl`, one an invocation. */
const ROWS = 8;

function kernel(entryPoint: string, software: boolean): Kernel {
  return software
    ? { name: 'rms_norm by rows', code: rowsSource, entryPoint }
    : { name: 'rms_norm', code: source, entryPoint };
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
  const software = recorder.profile === 'software';
  if (branch && !residual) throw new Error(`${label}: a branch needs a residual to write`);
  recorder.dispatch({
    kernel: kernel(branch ? 'rms_norm_forward_branch' : 'rms_norm_forward', software),
    label,
    uniforms: [rows, hidden, weightOffset, branch?.layerGate ?? 0, asWord(epsilon), 0, 0, 0, 0, 0, 0, 0],
    bindings: branch && residual ? [x, weights, gates, y, branch.output, residual] : [x, weights, gates, y],
    workgroups: foldWorkgroups(Math.ceil(rows / ROWS)),
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
  const software = recorder.profile === 'software';
  if (branch && options.branchColumn === undefined) throw new Error(`${label}: a branch needs a column`);
  recorder.dispatch({
    kernel: kernel(branch ? 'rms_norm_backward_branch' : 'rms_norm_backward', software),
    label,
    uniforms: [
      rows,
      hidden,
      weightOffset,
      branch?.layerGate ?? 0,
      asWord(options.epsilon),
      options.addToResidual ? 1 : 0,
      partials.blocks,
      partials.columns,
      options.weightColumn,
      options.hiddenGateColumn,
      options.branchColumn ?? 0,
      0,
    ],
    bindings: [
      ...[x, weights, gates, dY, dX, partials.slice],
      ...(branch ? [branch.output, branch.dOutput] : []),
    ],
    workgroups: software ? foldWorkgroups(Math.ceil(partials.blocks / ROWS)) : [partials.blocks],
  });
}
