import source from '../../shaders/row_cosine.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';

const rowCosineKernel: Kernel = { name: 'row_cosine', code: source, entryPoint: 'row_cosine' };

/** destination[offset + i] = cos(a_i, b_i) of the rows of `a` and `b` [rows, columns]; 0 where a row is zero. */
export function rowCosine(
  recorder: Recorder,
  {
    a,
    b,
    rows,
    columns,
    destination,
    destinationOffset,
    label,
  }: {
    a: Slice;
    b: Slice;
    rows: number;
    columns: number;
    destination: Slice;
    /** In elements of `destination`. */
    destinationOffset: number;
    label: string;
  },
): void {
  recorder.dispatch({
    kernel: rowCosineKernel,
    label,
    uniforms: { rows, columns, destinationOffset },
    bindings: [a, b, destination],
    workgroups: [Math.ceil(rows / 64)],
    work: { flops: 6 * rows * columns, bytes: 4 * rows * (2 * columns + 1) },
  });
}
