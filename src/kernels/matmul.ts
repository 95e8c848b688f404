import tiledSource from '../../shaders/matmul.wgsl?raw';
import softwareSource from '../../shaders/software/matmul.wgsl?raw';
import { sliceElements, type Slice } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { fillTemplate, foldWorkgroups, type Recorder } from '../gpu/program';
import { columnSum } from './column-sum';
import type { PendingSum } from './product-sums';

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
  /**
   * Where partial products go when few workgroups would share a long k; another buffer than the others. Used
   * only when it holds `matmulScratchElements`; costs a second dispatch.
   */
  scratch?: Slice;
  /**
   * Where the sum over slices is left to `productSums` instead of a second dispatch; `scratch` is not to be used
   * for anything else until then. Not together with `accumulate`.
   */
  pending?: PendingSum[];
  /** Instead of the one chosen by shape, for measurements. */
  variant?: MatmulVariant;
  label: string;
}

/** How a product is computed: outputs a side of a workgroup's tile and slices of k, or `shaders/software/matmul.wgsl`. */
export type MatmulVariant = { tile: 32 | 64; slices: number } | 'registers';

/**
 * Chosen by the times of every shape in a training step of nano, small and base on an H100: over 93 shapes this rule's
 * times are 1.7 % above the best variant's (geometric mean), 18 % at most. What was counted before and never timed
 * (the large tile from 128 workgroups on, k split below 256) was 6.3 % above, 57 % at most.
 */
/** Workgroups of the large tile, slices counted, from which it is taken. */
const LARGE_TILE_WORKGROUPS = 320;
/** Workgroups of the small tile below which k is split, how many are then aimed at, and how far it goes. */
const FEW_WORKGROUPS = 512;
const SPLIT_WORKGROUPS = 640;
const MAX_SLICES = 16;
const MIN_SLICE = 64;
const MIN_SPLIT_K = 256;

/** Outputs a side of an invocation's block, and invocations a workgroup, in shaders/software/matmul.wgsl. */
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

interface ProductSize {
  m: number;
  n: number;
  k: number;
}

const workgroupsOf = ({ m, n }: ProductSize, tile: number) => Math.ceil(m / tile) * Math.ceil(n / tile);

function slicesOf(size: ProductSize): number {
  const { k } = size;
  const workgroups = workgroupsOf(size, 32);
  if (workgroups >= FEW_WORKGROUPS || k < MIN_SPLIT_K) return 1;
  let slices = 1;
  while (slices < MAX_SLICES && workgroups * slices < SPLIT_WORKGROUPS && k >= 2 * slices * MIN_SLICE) {
    slices *= 2;
  }
  return slices;
}

/** Elements of `scratch` with which `matmul` splits k, 0 where it would not; below 5 MiB. */
export function matmulScratchElements(size: ProductSize): number {
  const slices = slicesOf(size);
  return slices > 1 ? slices * size.m * size.n : 0;
}

/** The variant that `matmul` takes when none is asked for; `split` where there is scratch to split k. */
export function chooseMatmul(
  size: ProductSize,
  wide: boolean,
  profile: KernelProfile,
  split: boolean,
): MatmulVariant {
  const software = profile === 'software';
  if (software && wide && size.k % 4 === 0) return 'registers';
  const slices = software || !split ? 1 : slicesOf(size);
  return { tile: workgroupsOf(size, 64) * slices >= LARGE_TILE_WORKGROUPS ? 64 : 32, slices };
}

/** True when the rows of A and B as they lie in memory are multiples of four, which vector loads want. */
export function wideProduct(layout: MatmulLayout, { m, n, k }: ProductSize): boolean {
  return [layout === 'tn' ? m : k, layout === 'nt' ? k : n].every((length) => length % 4 === 0);
}

/**
 * Appends C (+)= op(A)·op(B) in f32. `shaders/matmul.wgsl` has the layouts and the tiling, in two tile sizes
 * by the number of workgroups; `shaders/software/matmul.wgsl` is for software adapters. One dispatch, two where
 * k is split: the slices' products, then their sum in order of the slices, so that the bits are always the same.
 */
export function matmul(recorder: Recorder, options: MatmulOptions): void {
  const { layout, a, b, c, m, n, k, accumulate = false, scratch, label } = options;
  const wide = wideProduct(layout, options);
  const scratchBytes = 4 * matmulScratchElements(options);
  const maySplit = scratch !== undefined && scratch.size >= scratchBytes;
  const variant = options.variant ?? chooseMatmul(options, wide, recorder.profile, maySplit);
  const contiguous = {
    A_K_CONTIGUOUS: String(layout !== 'tn'),
    B_K_CONTIGUOUS: String(layout === 'nt'),
  };
  const work = { flops: 2 * m * n * k, bytes: 4 * (m * k + n * k + (accumulate ? 2 : 1) * m * n) };
  if (variant === 'registers') {
    const code = fillTemplate(softwareSource, contiguous);
    const blocks = Math.ceil(m / REGISTER_BLOCK) * Math.ceil(n / REGISTER_BLOCK);
    recorder.dispatch({
      label,
      uniforms: { m, n, k, accumulate },
      bindings: [a, b, c],
      kernel: { name: `matmul ${layout} in registers`, code, entryPoint: 'matmul' },
      workgroups: foldWorkgroups(Math.ceil(blocks / REGISTER_THREADS)),
      work,
    });
    return;
  }
  const { tile } = variant;
  const code = fillTemplate(tiledSource, {
    ...contiguous,
    TILE: tile,
    ELEMENT: wide ? 'vec4f' : 'f32',
    LOADS: `${loads('a', wide)}\n${loads('b', wide)}`,
  });
  const scratchElements = variant.slices > 1 ? variant.slices * m * n : 0;
  const split = scratchElements > 0 && scratch && scratch.size >= scratchElements * 4 ? scratch : null;
  // A multiple of the shader's K_TILE.
  const step = tile / 2;
  const sliceLength = Math.ceil(k / (split ? variant.slices : 1) / step) * step;
  const slices = Math.ceil(k / sliceLength);
  const products = split ? sliceElements(split, 0, slices * m * n) : c;
  recorder.dispatch({
    label,
    uniforms: { m, n, k, accumulate: accumulate && !split, sliceK: sliceLength },
    bindings: [a, b, products],
    kernel: { name: `matmul ${layout} ${tile}${wide ? '' : ' narrow'}`, code, entryPoint: 'matmul' },
    workgroups: [Math.ceil(n / tile), Math.ceil(m / tile), slices],
    work: split ? { ...work, bytes: 4 * (m * k + n * k + slices * m * n) } : work,
  });
  if (!split) return;
  if (options.pending && !accumulate) {
    options.pending.push({ products, slices, elements: m * n, destination: c });
    return;
  }
  columnSum(recorder, {
    partials: { slice: products, blocks: slices, columns: m * n },
    firstColumn: 0,
    columns: m * n,
    destination: c,
    destinationOffset: 0,
    accumulate,
    label: `${label} sum`,
  });
}
