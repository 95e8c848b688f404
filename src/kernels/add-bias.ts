import source from '../../shaders/add_bias.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const addBiasKernel: Kernel = { name: 'add_bias', code: source, entryPoint: 'add_bias' };

/** values [rows, columns] += bias [columns], in place. */
export function addBias(
  recorder: Recorder,
  {
    values,
    bias,
    rows,
    columns,
    label,
  }: { values: Slice; bias: Slice; rows: number; columns: number; label: string },
): void {
  recorder.dispatch({
    kernel: addBiasKernel,
    label,
    uniforms: { rows, columns },
    bindings: [values, bias],
    workgroups: foldWorkgroups(Math.ceil((rows * columns) / 256)),
    work: { flops: rows * columns, bytes: 4 * (2 * rows * columns + columns) },
  });
}
