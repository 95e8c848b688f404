import source from '../../shaders/column_moments.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { Kernel, Recorder } from '../gpu/program';

const columnMomentsKernel: Kernel = { name: 'column_moments', code: source, entryPoint: 'column_moments' };

/** What is kept of every column of a window: Σ x, Σ x², Σ |x|. */
export const MOMENTS = 3;

/**
 * destination[offset + (w·3 + k)·columns + j] = Σ over the rows of window w of x, x² and |x| (k = 0, 1, 2) in
 * column j, for `values` [windows · window, columns].
 */
export function columnMoments(
  recorder: Recorder,
  {
    values,
    windows,
    window,
    columns,
    destination,
    destinationOffset,
    label,
  }: {
    values: Slice;
    windows: number;
    /** Rows of a window. */
    window: number;
    columns: number;
    destination: Slice;
    /** In elements of `destination`. */
    destinationOffset: number;
    label: string;
  },
): void {
  recorder.dispatch({
    kernel: columnMomentsKernel,
    label,
    uniforms: { window, columns, destinationOffset },
    bindings: [values, destination],
    workgroups: [Math.ceil(columns / 64), windows],
    work: { flops: 4 * windows * window * columns, bytes: 4 * windows * columns * (window + MOMENTS) },
  });
}
