import source from '../../shaders/attention.wgsl?raw';
import rowsSource from '../../shaders/attention_rows.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { fillTemplate, type Kernel, type Recorder } from '../gpu/program';
import type { Partials } from './column-sum';

export const MAX_HEAD_DIM = 128;

/** Rows that a kernel takes at a time from the side it walks over. */
const CHUNK = 8;

export interface AttentionShape {
  batch: number;
  /** T, rows a sequence. */
  contextLength: number;
  /** H, a multiple of keyValueHeads. */
  heads: number;
  /** G */
  keyValueHeads: number;
  /** dh, even, at most 128. */
  headDim: number;
}

export interface AttentionForward extends AttentionShape {
  /** [B·T, (H + 2G)·dh] behind RoPE: q heads, k heads, v heads. */
  qkv: Slice;
  /** The flat gate buffer. */
  gates: Slice;
  /** Element of `gates` where this layer's G head gates start. */
  headGate: number;
  /** Written: [B·T, H·dh], already multiplied by the gates. */
  context: Slice;
  /** Written: [B·T, H], the log-sum-exp of each query's scores, 0 for closed heads. */
  lse: Slice;
  label: string;
}

export interface AttentionBackward extends AttentionShape {
  qkv: Slice;
  /** [T or more, dh] of `ropeTable`. */
  table: Slice;
  gates: Slice;
  headGate: number;
  /** [B·T, H·dh], what the forward kernel wrote. */
  context: Slice;
  /** [B·T, H·dh] */
  dContext: Slice;
  /** [B·T, H], what the forward kernel wrote. */
  lse: Slice;
  /** Written: [B·T, (H + 2G)·dh], the gradient in front of RoPE. */
  dqkv: Slice;
  /** Scratch [B·T, H]. */
  delta: Slice;
  /** Written at columns headGateColumn … + G: the gradients of this layer's head gates. */
  partials: Partials;
  headGateColumn: number;
  label: string;
}

/**
 * How many invocations share a row: the fewest that leave each at most two vectors of either half of a head,
 * 16 values a tensor, which stay in registers on every GPU.
 */
function partsOf(headDim: number, width: number): number {
  const vectors = headDim / 2 / width;
  for (let parts = 1; parts < vectors; parts++) {
    if (vectors % parts === 0 && vectors / parts <= 2) return parts;
  }
  return vectors;
}

interface AttentionPlan {
  /** Of attention_forward, attention_dq and attention_dkv. */
  kernel(entryPoint: string): Kernel;
  /** Rows of a sequence that a workgroup of these takes. */
  tile: number;
  deltaKernel: Kernel;
}

/** Four rows an invocation of `attention_rows.wgsl`, and its invocations a workgroup. */
const OWN_ROWS = 4;
const ROWS_THREADS = 8;

/** @throws on a head dimension that is odd or above 128, and on heads that do not divide into groups. */
function planOf({ headDim, heads, keyValueHeads }: AttentionShape, profile: KernelProfile): AttentionPlan {
  const software = profile === 'software';
  if (headDim % 2 !== 0 || headDim < 2 || headDim > MAX_HEAD_DIM) {
    throw new Error(`attention needs an even head dimension of 2 to ${MAX_HEAD_DIM}, not ${headDim}`);
  }
  if (heads % keyValueHeads !== 0) {
    throw new Error(`${heads} query heads do not divide into ${keyValueHeads} groups`);
  }
  const width = headDim % 8 === 0 ? 4 : headDim % 4 === 0 ? 2 : 1;
  const parts = partsOf(headDim, width);
  // A power of two of rows, so that tile × parts stays within 256 invocations.
  const tile = Math.min(parts > 1 ? 32 : 64, 2 ** Math.floor(Math.log2(256 / parts)));
  const code = fillTemplate(source, {
    HEAD_DIM: headDim,
    CHUNK,
    WIDTH: width,
    VECTOR: width === 1 ? 'f32' : `vec${width}f`,
    INNER: width === 1 ? 'a * b' : 'dot(a, b)',
    PARTS: parts,
    TILE: tile,
  });
  const name = `attention ${headDim}`;
  const deltaKernel = { name, code, entryPoint: software ? 'attention_delta_serial' : 'attention_delta' };
  if (software && (headDim === 16 || headDim === 32)) {
    const rowsCode = fillTemplate(rowsSource, { HEAD_DIM: headDim, THREADS: ROWS_THREADS });
    return {
      tile: OWN_ROWS * ROWS_THREADS,
      kernel: (entryPoint) => ({ name: `${name} by rows`, code: rowsCode, entryPoint }),
      deltaKernel,
    };
  }
  return { tile, kernel: (entryPoint) => ({ name, code, entryPoint }), deltaKernel };
}

function uniformsOf(shape: AttentionShape, headGate: number, partials?: Partials, column = 0): number[] {
  const { batch, contextLength, heads, keyValueHeads } = shape;
  const sizes = [batch * contextLength, contextLength, heads, keyValueHeads, headGate];
  return [...sizes, partials?.blocks ?? 0, partials?.columns ?? 0, column, CHUNK];
}

/**
 * Appends causal attention, flash-style (arXiv 2307.08691): one dispatch. `shaders/attention.wgsl` has the
 * formulas; `shaders/attention_rows.wgsl` is for software adapters, at head dimensions 16 and 32.
 */
export function attentionForward(recorder: Recorder, options: AttentionForward): void {
  const { qkv, gates, headGate, context, lse, batch, contextLength, heads, label } = options;
  const plan = planOf(options, recorder.profile);
  recorder.dispatch({
    kernel: plan.kernel('attention_forward'),
    label,
    uniforms: uniformsOf(options, headGate),
    bindings: [qkv, gates, context, lse],
    workgroups: [Math.ceil(contextLength / plan.tile), heads, batch],
  });
}

/**
 * Appends the gradients of `attentionForward` and of the rotation before it: three dispatches (delta and
 * gate sums; dq; dk and dv). dqkv is overwritten; it, delta and the partials lie in other buffers than what
 * is read.
 */
export function attentionBackward(recorder: Recorder, options: AttentionBackward): void {
  const { qkv, table, gates, headGate, context, dContext, lse, dqkv, delta, partials, label } = options;
  const { batch, contextLength, heads, keyValueHeads } = options;
  const plan = planOf(options, recorder.profile);
  const tiles = Math.ceil(contextLength / plan.tile);
  const uniforms = uniformsOf(options, headGate, partials, options.headGateColumn);
  recorder.dispatch({
    kernel: plan.deltaKernel,
    label: `${label} delta`,
    uniforms,
    bindings: [gates, context, dContext, delta, partials.slice],
    workgroups: [partials.blocks],
  });
  const bindings = [qkv, gates, table, dContext, lse, delta, dqkv];
  recorder.dispatch({
    kernel: plan.kernel('attention_dq'),
    label: `${label} dq`,
    uniforms,
    bindings,
    workgroups: [tiles, heads, batch],
  });
  recorder.dispatch({
    kernel: plan.kernel('attention_dkv'),
    label: `${label} dk, dv`,
    uniforms,
    bindings,
    workgroups: [tiles, keyValueHeads, batch],
  });
}
