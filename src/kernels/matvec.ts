import rowsSource from '../../shaders/matvec.wgsl?raw';
import softwareSource from '../../shaders/software/matvec.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { fillTemplate, foldWorkgroups, type Recorder } from '../gpu/program';

export interface MatvecOptions {
  /** W [n, k], row-major. */
  matrix: Slice;
  /** [k]; what the slice holds beyond is not read. */
  x: Slice;
  /** [n] */
  bias?: Slice | undefined;
  /** [n], written; another buffer than x's. */
  y: Slice;
  n: number;
  k: number;
  label: string;
}

/** Invocations a workgroup in shaders/matvec.wgsl. */
const THREADS = 128;

/** Vectors a row from which more invocations share it: each has sixteen to load one after the other by then. */
const LONG_ROW = 256;

/** Rows a workgroup in shaders/software/matvec.wgsl. */
const SOFTWARE_ROWS = 64;

/** Appends y = W·x (+ b) in f32: one dispatch (shaders/matvec.wgsl; shaders/software/matvec.wgsl, k in fours). */
export function matvec(recorder: Recorder, { matrix, x, bias, y, n, k, label }: MatvecOptions): void {
  const wide = k % 4 === 0;
  const software = wide && recorder.profile === 'software';
  const lanes = k / (wide ? 4 : 1) < LONG_ROW ? 16 : 64;
  const places = {
    VECTOR: wide ? 'vec4f' : 'f32',
    WIDTH: wide ? 4 : 1,
    INNER: wide ? 'dot(a, b)' : 'a * b',
    LANES: lanes,
  };
  recorder.dispatch({
    kernel: {
      name: software ? 'matvec in registers' : `matvec by ${lanes}${wide ? '' : ' narrow'}`,
      code: software ? softwareSource : fillTemplate(rowsSource, places),
      entryPoint: bias ? 'matvec_bias' : 'matvec',
    },
    label,
    uniforms: { n, k },
    bindings: bias ? [matrix, x, y, bias] : [matrix, x, y],
    workgroups: foldWorkgroups(Math.ceil(n / (software ? SOFTWARE_ROWS : THREADS / lanes))),
    work: { flops: 2 * n * k, bytes: 4 * (n * k + k + (bias ? 2 : 1) * n) },
  });
}
