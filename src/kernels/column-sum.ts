import source from '../../shaders/column_sum.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

/**
 * Column sums over the M rows of a step, taken without atomics: a matrix [blocks, columns] of f32 that all
 * sites of the model share. Block p of a site's kernel handles its own rows (p, p + blocks, p + 2·blocks, …)
 * and *writes* `slice[p · columns + column + j]`, zero when it has no rows; `columnSum` adds the blocks up in a
 * fixed order, so a step gives the same bits every time.
 */
export interface Partials {
  slice: Slice;
  /** Row blocks P. */
  blocks: number;
  /** Columns of all sites together. */
  columns: number;
}

const columnSumKernel: Kernel = { name: 'column_sum', code: source, entryPoint: 'column_sum' };

/**
 * destination[destinationOffset + j] = Σ_p partials[p, firstColumn + j] for j in [0, columns), or += with
 * `accumulate`.
 *
 * Any matrix [rows, columns] is a `Partials`, so this is also the gradient of a bias. `partials` and
 * `destination` are different buffers.
 */
export function columnSum(
  recorder: Recorder,
  {
    partials,
    firstColumn,
    columns,
    destination,
    destinationOffset,
    accumulate = false,
    label,
  }: {
    partials: Partials;
    firstColumn: number;
    columns: number;
    destination: Slice;
    /** In elements of `destination`. */
    destinationOffset: number;
    accumulate?: boolean;
    label: string;
  },
): void {
  recorder.dispatch({
    kernel: columnSumKernel,
    label,
    uniforms: {
      blocks: partials.blocks,
      stride: partials.columns,
      firstColumn,
      columns,
      destinationOffset,
      accumulate,
    },
    bindings: [partials.slice, destination],
    workgroups: foldWorkgroups(Math.ceil(columns / 64)),
    work: {
      flops: partials.blocks * columns,
      bytes: 4 * columns * (partials.blocks + (accumulate ? 2 : 1)),
    },
  });
}
