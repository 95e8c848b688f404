import tiledSource from '../../shaders/matmul.wgsl?raw';
import registersSource from '../../shaders/matmul_registers.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { fillTemplate, foldWorkgroups, type Recorder } from '../gpu/program';

/**
 * Which operands are transposed, with row-major storage:
 * nt: C[m,n] = A[m,k]·B[n,k]ᵀ · nn: C[m,n] = A[m,k]·B[k,n] · tn: C[m,n] = A[k,m]ᵀ·B[k,n].
 * A linear layer Y = X·Wᵀ is nt, its dX = dY·W is nn and its dW = dYᵀ·X is tn.
 */
export type MatmulLayout = 'nt' | 'nn' | 'tn';

export interface MatmulOptions {
  layout: MatmulLayout;
  a: Slice;
  b: Slice;
  /** [m, n]; another buffer than A's and B's. */
  c: Slice;
  m: number;
  n: number;
  k: number;
  /** C += op(A)·op(B) instead of C =. */
  accumulate?: boolean;
  /** `gpu.adapter.software`: the variant without barriers, for adapters that run on the CPU. */
  software?: boolean;
  label: string;
}

/** Enough workgroups of the large tile to fill a GPU; below it, the small tile. */
const LARGE_TILE_WORKGROUPS = 128;

/** Outputs a side of an invocation's block, and invocations a workgroup, in `matmul_registers.wgsl`. */
const REGISTER_BLOCK = 8;
const REGISTER_THREADS = 16;

/** WGSL: four values of row `row` from column `column` on, of a matrix [rows, columns]; 0 beyond its edges. */
const loads = (matrix: 'a' | 'b', wide: boolean) =>
  wide
    ? `fn four_${matrix}(row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  return select(vec4f(0), ${matrix}[(row * columns + column) / 4u], row < rows && column < columns);
}`
    : `fn one_${matrix}(row: u32, column: u32, rows: u32, columns: u32) -> f32 {
  return select(0.0, ${matrix}[row * columns + column], row < rows && column < columns);
}
fn four_${matrix}(row: u32, column: u32, rows: u32, columns: u32) -> vec4f {
  return vec4f(
    one_${matrix}(row, column, rows, columns),
    one_${matrix}(row, column + 1u, rows, columns),
    one_${matrix}(row, column + 2u, rows, columns),
    one_${matrix}(row, column + 3u, rows, columns),
  );
}`;

/**
 * Appends C (+)= op(A)·op(B) in f32. `shaders/matmul.wgsl` has the layouts and the tiling, in two tile sizes
 * by the number of workgroups; `shaders/matmul_registers.wgsl` is for software adapters.
 */
export function matmul(recorder: Recorder, options: MatmulOptions): void {
  const { layout, a, b, c, m, n, k, accumulate = false, software = false, label } = options;
  // Rows as they lie in memory, which vector loads want at multiples of four.
  const wide = [layout === 'tn' ? m : k, layout === 'nt' ? k : n].every((length) => length % 4 === 0);
  const contiguous = {
    A_K_CONTIGUOUS: String(layout !== 'tn'),
    B_K_CONTIGUOUS: String(layout === 'nt'),
  };
  const dispatch = {
    label,
    uniforms: [m, n, k, accumulate ? 1 : 0],
    bindings: [a, b, c],
  };
  if (software && wide && k % 4 === 0) {
    const code = fillTemplate(registersSource, contiguous);
    const blocks = Math.ceil(m / REGISTER_BLOCK) * Math.ceil(n / REGISTER_BLOCK);
    recorder.dispatch({
      ...dispatch,
      kernel: { name: `matmul ${layout} in registers`, code, entryPoint: 'matmul' },
      workgroups: foldWorkgroups(Math.ceil(blocks / REGISTER_THREADS)),
    });
    return;
  }
  const large = Math.ceil(m / 64) * Math.ceil(n / 64) >= LARGE_TILE_WORKGROUPS;
  const tile = large ? 64 : 32;
  const code = fillTemplate(tiledSource, {
    ...contiguous,
    TILE: tile,
    ELEMENT: wide ? 'vec4f' : 'f32',
    LOADS: `${loads('a', wide)}\n${loads('b', wide)}`,
  });
  recorder.dispatch({
    ...dispatch,
    kernel: { name: `matmul ${layout} ${tile}${wide ? '' : ' narrow'}`, code, entryPoint: 'matmul' },
    workgroups: [Math.ceil(n / tile), Math.ceil(m / tile)],
  });
}
