import source from '../../shaders/rope_cache.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Recorder } from '../gpu/program';

const THREADS = 64;

export interface RopeCacheOptions {
  /** [(H + 2G)·dh] of one token: q heads, k heads, v heads. */
  product: Slice;
  /** [(H + 2G)·dh], added before the rotation. */
  bias?: Slice | undefined;
  /** [T, dh] of `ropeTable`. */
  table: Slice;
  /** u32 [2 or more]: the token, and its position, below T. */
  state: Slice;
  /** [T, (H + 2G)·dh], of which the position's row is written. */
  cache: Slice;
  heads: number;
  keyValueHeads: number;
  headDim: number;
  label: string;
}

/** Appends one token's bias and rotary embedding on its way into the cache: one dispatch (shaders/rope_cache.wgsl). */
export function ropeToCache(recorder: Recorder, options: RopeCacheOptions): void {
  const { product, bias, table, state, cache, heads, keyValueHeads, headDim, label } = options;
  const rotatedHeads = heads + keyValueHeads;
  const allHeads = rotatedHeads + keyValueHeads;
  const pairs = (allHeads * headDim) / 2;
  recorder.dispatch({
    kernel: { name: 'rope into cache', code: source, entryPoint: bias ? 'rope_cache_bias' : 'rope_cache' },
    label,
    uniforms: { rotatedHeads, allHeads, headDim },
    bindings: bias ? [product, table, state, cache, bias] : [product, table, state, cache],
    workgroups: foldWorkgroups(Math.ceil(pairs / THREADS)),
    work: { flops: 6 * pairs, bytes: 4 * ((bias ? 6 : 4) * pairs + headDim + 1) },
  });
}
