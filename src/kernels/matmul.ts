import source from '../../shaders/matmul.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { fillTemplate, type Recorder } from '../gpu/program';
import { matmulInRegisters } from './matmul-registers';

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
