import source from '../../shaders/columns.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const takeColumnsKernel: Kernel = { name: 'columns', code: source, entryPoint: 'take_columns' };
const addColumnsKernel: Kernel = { name: 'columns', code: source, entryPoint: 'add_columns' };

export interface ColumnsOptions {
  /** [rows, width] */
  whole: Slice;
  /** [rows, columns]: columns `first` to `first + columns` of `whole`; another buffer. */
  part: Slice;
  rows: number;
  width: number;
  first: number;
  columns: number;
  scale: number;
  label: string;
}

/** part = scale · those columns of `whole` (shaders/columns.wgsl). */
export function takeColumns(recorder: Recorder, options: ColumnsOptions): void {
  recordColumns(recorder, takeColumnsKernel, [options.whole, options.part], options);
}

/** Those columns of `whole` += scale · part, the others are left (shaders/columns.wgsl). */
export function addColumns(recorder: Recorder, options: ColumnsOptions): void {
  recordColumns(recorder, addColumnsKernel, [options.part, options.whole], options);
}

function recordColumns(
  recorder: Recorder,
  kernel: Kernel,
  bindings: readonly [from: Slice, to: Slice],
  { rows, width, first, columns, scale, label }: ColumnsOptions,
): void {
  const elements = rows * columns;
  const adds = kernel === addColumnsKernel;
  recorder.dispatch({
    kernel,
    label,
    uniforms: { rows, columns, first, width, scale },
    bindings,
    workgroups: foldWorkgroups(Math.ceil(elements / 256)),
    work: { flops: (adds ? 2 : 1) * elements, bytes: 4 * (adds ? 3 : 2) * elements },
  });
}
