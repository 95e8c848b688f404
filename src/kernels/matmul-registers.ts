import source from '../../shaders/matmul_registers.wgsl?raw';
import { fillTemplate, foldWorkgroups, type DispatchDescription } from '../gpu/program';
import type { MatmulOptions } from './matmul';

/** Rows of C that one invocation keeps in registers, beside four columns. */
const ROWS = 8;

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
export function matmulInRegisters({
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
  const code = fillTemplate(source, {
    ROWS,
    ELEMENT: wide ? 'vec4f' : 'f32',
    LOADS: `${loads('a', wide)}\n${loads('b', wide)}`,
    A_K_CONTIGUOUS: String(layout !== 'tn'),
    B_K_CONTIGUOUS: String(layout === 'nt'),
  });
  const blocks = Math.ceil(m / ROWS) * Math.ceil(n / 4);
  return {
    kernel: { name: `matmul ${layout} in registers`, code, entryPoint: 'matmul' },
    label,
    uniforms: [m, n, k, accumulate ? 1 : 0],
    bindings: [a, b, c],
    workgroups: foldWorkgroups(Math.ceil(blocks / 64)),
  };
}
