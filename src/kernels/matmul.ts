import source from '../../shaders/matmul.wgsl?raw';
import registerSource from '../../shaders/matmul_registers.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { fillTemplate, foldWorkgroups, type DispatchDescription, type Recorder } from '../gpu/program';

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

/** Appends C (+)= op(A)·op(B) in f32; `shaders/matmul.wgsl` has the layouts and the tiling. */
export function matmul(recorder: Recorder, options: MatmulOptions): void {
  const { layout, a, b, c, m, n, k, accumulate = false, software = false, label } = options;
  if (software) {
    recorder.dispatch(matmulInRegisters(options));
    return;
  }
  const large = Math.ceil(m / 64) * Math.ceil(n / 64) >= LARGE_TILE_WORKGROUPS;
  const tile = large ? 64 : 32;
  const code = fillTemplate(source, {
    TILE: tile,
    A_K_CONTIGUOUS: String(layout !== 'tn'),
    B_K_CONTIGUOUS: String(layout === 'nt'),
  });
  recorder.dispatch({
    kernel: { name: `matmul ${layout} ${tile}`, code, entryPoint: 'matmul' },
    label,
    uniforms: [m, n, k, accumulate ? 1 : 0],
    bindings: [a, b, c],
    workgroups: [Math.ceil(n / tile), Math.ceil(m / tile)],
  });
}

/** Rows of C that one invocation keeps in registers, beside four columns. */
const REGISTER_ROWS = 8;

/** Four values of row `row` from column `column` on, of a matrix [rows, columns]; 0 beyond its edge. */
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

/** The product without workgroup memory, for software adapters (`shaders/matmul_registers.wgsl`). */
function matmulInRegisters({
  layout,
  a,
  b,
  c,
  m,
  n,
  k,
  accumulate = false,
  label,
}: MatmulOptions): DispatchDescription {
  // Rows of both operands must start at multiples of four for wide reads.
  const rowLengths = [layout === 'tn' ? m : k, layout === 'nt' ? k : n];
  const wide = rowLengths.every((length) => length % 4 === 0);
  const code = fillTemplate(registerSource, {
    ROWS: REGISTER_ROWS,
    ELEMENT: wide ? 'vec4f' : 'f32',
    LOADS: `${loads('a', wide)}\n${loads('b', wide)}`,
    A_K_CONTIGUOUS: String(layout !== 'tn'),
    B_K_CONTIGUOUS: String(layout === 'nt'),
  });
  const blocks = Math.ceil(m / REGISTER_ROWS) * Math.ceil(n / 4);
  return {
    kernel: { name: `matmul ${layout} in registers`, code, entryPoint: 'matmul' },
    label,
    uniforms: [m, n, k, accumulate ? 1 : 0],
    bindings: [a, b, c],
    workgroups: foldWorkgroups(Math.ceil(blocks / 64)),
  };
}
