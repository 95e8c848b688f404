import headSource from '../../shaders/attention.wgsl?raw';
import cachedSource from '../../shaders/attention_cached.wgsl?raw';
import deltaSource from '../../shaders/attention_delta.wgsl?raw';
import dkvSource from '../../shaders/attention_dkv.wgsl?raw';
import dqSource from '../../shaders/attention_dq.wgsl?raw';
import lanesSource from '../../shaders/attention_lanes.wgsl?raw';
import lanesBackwardSource from '../../shaders/attention_lanes_backward.wgsl?raw';
import lanesForwardSource from '../../shaders/attention_lanes_forward.wgsl?raw';
import forwardSource from '../../shaders/attention_forward.wgsl?raw';
import rotationSource from '../../shaders/attention_rotation.wgsl?raw';
import walkSource from '../../shaders/attention_walk.wgsl?raw';
import softwareSource from '../../shaders/software/attention.wgsl?raw';
import softwareCachedSource from '../../shaders/software/attention_cached.wgsl?raw';
import softwareDkvSource from '../../shaders/software/attention_dkv.wgsl?raw';
import softwareDqSource from '../../shaders/software/attention_dq.wgsl?raw';
import softwareForwardSource from '../../shaders/software/attention_forward.wgsl?raw';
import softwareRotationSource from '../../shaders/software/attention_rotation.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { fillTemplate, foldWorkgroups, type Kernel, type Recorder, type Work } from '../gpu/program';
import type { Uniforms } from '../gpu/uniforms';

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
  /** Instead of the one chosen by shape, for measurements. */
  variant?: AttentionVariant;
}

/**
 * How a GPU computes it: `walk` is shaders/attention_walk.wgsl, any head dimension; `lanes` invocations share a row
 * and a workgroup has `rows` of them in shaders/attention_lanes.wgsl, head dimensions that are multiples of 8.
 */
export type AttentionVariant = 'walk' | AttentionLanes;

export interface AttentionLanes {
  lanes: number;
  rows: number;
  /** Rows of the other side that a lane takes together. */
  atOnce: number;
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
  /** Written: [B·T, H], D of every query and head, which `headGateSums` adds up; anything where the gate is 0. */
  delta: Slice;
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

type Operator = 'forward' | 'dq' | 'dkv';

/** The WGSL of each operator, what it shares with others first. */
const SOURCES: Readonly<Record<KernelProfile, Readonly<Record<Operator, string>>>> = {
  gpu: {
    forward: [headSource, walkSource, forwardSource].join('\n'),
    dq: [headSource, walkSource, rotationSource, dqSource].join('\n'),
    dkv: [headSource, walkSource, rotationSource, dkvSource].join('\n'),
  },
  software: {
    forward: [softwareSource, softwareForwardSource].join('\n'),
    dq: [softwareSource, softwareRotationSource, softwareDqSource].join('\n'),
    dkv: [softwareSource, softwareRotationSource, softwareDkvSource].join('\n'),
  },
};

/** How the operators that walk over a sequence are dispatched. */
interface AttentionPlan {
  kernel(operator: Operator): Kernel;
  /** Rows of a sequence that a workgroup takes. */
  tile: number;
  uniforms: Uniforms;
}

/** Rows an invocation of shaders/software/attention.wgsl, and its invocations a workgroup. */
const OWN_ROWS = 4;
const ROWS_THREADS = 8;

/** @throws on a head dimension that is odd or above 128, and on heads that do not divide into groups. */
function checkHeads({
  headDim,
  heads,
  keyValueHeads,
}: Omit<AttentionShape, 'batch' | 'contextLength'>): void {
  if (headDim % 2 !== 0 || headDim < 2 || headDim > MAX_HEAD_DIM) {
    throw new Error(`attention needs an even head dimension of 2 to ${MAX_HEAD_DIM}, not ${headDim}`);
  }
  if (heads % keyValueHeads !== 0) {
    throw new Error(`${heads} query heads do not divide into ${keyValueHeads} groups`);
  }
}

function planOf(options: AttentionShape & { headGate: number }, profile: KernelProfile): AttentionPlan {
  const { batch, contextLength, headDim, heads, keyValueHeads, headGate } = options;
  checkHeads(options);
  const sizes = {
    rows: batch * contextLength,
    context: contextLength,
    heads,
    groups: keyValueHeads,
    headGate,
  };
  const planned = (name: string, sources: Readonly<Record<Operator, string>>, places: Places) => ({
    kernel: (operator: Operator) => ({
      name: `${name} ${headDim}`,
      code: fillTemplate(sources[operator], places),
      entryPoint: `attention_${operator}`,
    }),
  });
  if (profile === 'software' && (headDim === 16 || headDim === 32)) {
    const places = { HEAD_DIM: headDim, THREADS: ROWS_THREADS };
    const tile = OWN_ROWS * ROWS_THREADS;
    return { tile, uniforms: sizes, ...planned('attention by rows', SOURCES.software, places) };
  }
  const vectors = vectorsOf(headDim);
  const parts = partsOf(headDim, vectors.width);
  // A power of two of rows, so that tile × parts stays within 256 invocations.
  const tile = Math.min(parts > 1 ? 32 : 64, 2 ** Math.floor(Math.log2(256 / parts)));
  const places = { ...vectors.places, CHUNK, PARTS: parts, TILE: tile };
  return { tile, uniforms: { ...sizes, chunk: CHUNK }, ...planned('attention', SOURCES.gpu, places) };
}

/** Head dimensions up to this leave registers to keep staged rows, too, in the gradients. */
const MAX_KEPT_HEAD_DIM = 16;

/** Head dimensions above this leave too few registers for whole rows. */
const MAX_LANES_HEAD_DIM = 32;

function chooseAttention(
  operator: 'forward' | 'backward',
  { headDim, variant }: AttentionShape,
  profile: KernelProfile,
): AttentionVariant {
  if (variant) return variant;
  const fits = profile === 'gpu' && headDim % 8 === 0 && headDim <= MAX_LANES_HEAD_DIM;
  if (!fits) return 'walk';
  // By times on an H100 and an H200: docs/rejected.md.
  const few = operator === 'forward' || headDim <= MAX_KEPT_HEAD_DIM;
  return { lanes: few ? 4 : 8, rows: 32, atOnce: 4 };
}

/** Bytes of workgroup memory for the staged rows: 16 KiB less what statistics take. */
const STAGED_BYTES = 13_312;

/** Vectors of one staged row, padding included. */
const stagedStride = (headDim: number) => headDim / 4 + 1;

/** Whether a head can be taken by so many lanes: whole vectors in both halves, and staged rows that fit. */
export function lanesFit(headDim: number, { lanes, rows, atOnce }: AttentionLanes): boolean {
  const vectors = Math.max(2 * atOnce * lanes * stagedStride(headDim), 2 * lanes * rows);
  return headDim % 8 === 0 && headDim <= 64 && 16 * vectors <= STAGED_BYTES;
}

function lanesKernel(
  operator: 'forward' | 'backward',
  headDim: number,
  { lanes, rows, atOnce }: AttentionLanes,
): Kernel {
  const stride = stagedStride(headDim);
  let block = atOnce * lanes;
  while (block < 64 && 2 * (2 * block) * stride * 16 <= STAGED_BYTES) block *= 2;
  const source = operator === 'forward' ? lanesForwardSource : lanesBackwardSource;
  return {
    name: `attention by ${lanes} × ${rows} lanes ${headDim}`,
    code: fillTemplate([headSource, lanesSource, source].join('\n'), {
      ...vectorsOf(headDim).places,
      LANES: lanes,
      ROWS: rows,
      AT_ONCE: atOnce,
      ...(operator === 'backward' && { KEEP: String(headDim <= MAX_KEPT_HEAD_DIM) }),
      BLOCK: block,
      STAGED: Math.max(2 * block * stride, 2 * lanes * rows),
    }),
    entryPoint: `attention_lanes_${operator}`,
  };
}

type Places = Readonly<Record<string, number | string>>;

/** The widest vector that divides half a head, and what it means in shaders/attention.wgsl. */
function vectorsOf(headDim: number): { width: number; places: Places } {
  const width = headDim % 8 === 0 ? 4 : headDim % 4 === 0 ? 2 : 1;
  const places = {
    HEAD_DIM: headDim,
    WIDTH: width,
    VECTOR: width === 1 ? 'f32' : `vec${width}f`,
    INNER: width === 1 ? 'a * b' : 'dot(a, b)',
  };
  return { width, places };
}

const lanesUniforms = (
  { contextLength, heads, keyValueHeads, headGate }: AttentionShape & { headGate: number },
  { lanes }: { lanes: number },
) => ({ context: contextLength, heads, groups: keyValueHeads, headGate, lanes });

function deltaKernel(headDim: number): Kernel {
  return {
    name: `attention delta ${headDim}`,
    code: fillTemplate(`${headSource}\n${deltaSource}`, vectorsOf(headDim).places),
    entryPoint: 'attention_delta',
  };
}

/**
 * Work of a kernel that takes `products` of dh multiply-adds for each pair of a query and a key that it sees,
 * and reads or writes so many tensors of the queries' size, of the keys' size, and of one value a head and row.
 */
function attentionWork(
  { batch, contextLength, heads, keyValueHeads, headDim }: AttentionShape,
  count: { products: number; queries: number; keys: number; perHead: number },
): Work {
  const pairs = (batch * heads * contextLength * (contextLength + 1)) / 2;
  const perRow = headDim * (count.queries * heads + count.keys * keyValueHeads) + count.perHead * heads;
  return { flops: 2 * headDim * count.products * pairs, bytes: 4 * batch * contextLength * perRow };
}

/**
 * Appends causal attention, flash-style (arXiv 2307.08691): one dispatch. shaders/attention.wgsl has the formulas;
 * shaders/software/attention.wgsl is for software adapters, at head dimensions 16 and 32.
 */
export function attentionForward(recorder: Recorder, options: AttentionForward): void {
  const { qkv, gates, context, lse, batch, contextLength, heads, label } = options;
  const variant = chooseAttention('forward', options, recorder.profile);
  const plan = planOf(options, recorder.profile);
  const lanes = variant !== 'walk';
  recorder.dispatch({
    kernel: lanes ? lanesKernel('forward', options.headDim, variant) : plan.kernel('forward'),
    label,
    uniforms: lanes ? lanesUniforms(options, variant) : plan.uniforms,
    bindings: [qkv, gates, context, lse],
    workgroups: [Math.ceil(contextLength / (lanes ? variant.rows : plan.tile)), heads, batch],
    // Scores and weighted values.
    work: attentionWork(options, { products: 2, queries: 2, keys: 2, perHead: 1 }),
  });
}

/**
 * Appends the gradients of `attentionForward` and of the rotation before it: one dispatch by lanes, else three (delta;
 * dq; dk and dv). dqkv and delta are overwritten; they lie in other buffers than what is read.
 */
export function attentionBackward(recorder: Recorder, options: AttentionBackward): void {
  const { qkv, table, gates, context, dContext, lse, dqkv, delta, label } = options;
  const { batch, contextLength, heads, keyValueHeads, headDim } = options;
  const variant = chooseAttention('backward', options, recorder.profile);
  const plan = planOf(options, recorder.profile);
  if (variant !== 'walk') {
    recorder.dispatch({
      kernel: lanesKernel('backward', headDim, variant),
      label,
      uniforms: lanesUniforms(options, variant),
      bindings: [qkv, gates, table, context, dContext, lse, delta, dqkv],
      workgroups: [Math.ceil(contextLength / variant.rows), heads + keyValueHeads, batch],
      // Scores and their gradient, twice; dq, dk, dv.
      work: attentionWork(options, { products: 7, queries: 4, keys: 4, perHead: 2 }),
    });
    return;
  }
  const tiles = Math.ceil(contextLength / plan.tile);
  const pairs = batch * contextLength * heads;
  recorder.dispatch({
    kernel: deltaKernel(headDim),
    label: `${label} delta`,
    uniforms: { pairs },
    bindings: [context, dContext, delta],
    workgroups: foldWorkgroups(Math.ceil(pairs / 64)),
    work: { flops: 2 * headDim * pairs, bytes: 4 * pairs * (2 * headDim + 1) },
  });
  const bindings = [qkv, gates, table, dContext, lse, delta, dqkv];
  recorder.dispatch({
    kernel: plan.kernel('dq'),
    label: `${label} dq`,
    uniforms: plan.uniforms,
    bindings,
    workgroups: [tiles, heads, batch],
    // Scores, their gradient, dq.
    work: attentionWork(options, { products: 3, queries: 3, keys: 2, perHead: 2 }),
  });
  recorder.dispatch({
    kernel: plan.kernel('dkv'),
    label: `${label} dk, dv`,
    uniforms: plan.uniforms,
    bindings,
    workgroups: [tiles, keyValueHeads, batch],
    // Scores, their gradient, dk, dv.
    work: attentionWork(options, { products: 4, queries: 2, keys: 4, perHead: 2 }),
  });
}

/** Teams of a workgroup in shaders/attention_cached.wgsl, and invocations of a team. */
const CACHED_TEAM = 16;

/** Invocations a workgroup in shaders/software/attention_cached.wgsl. */
const CACHED_SOFTWARE_THREADS = 16;

export interface CachedAttention {
  /** [T, (H + 2G)·dh] behind RoPE: q heads, k heads, v heads; rows beyond the position are not read. */
  cache: Slice;
  /** The flat gate buffer. */
  gates: Slice;
  /** Element of `gates` where this layer's G head gates start. */
  headGate: number;
  /** u32 [2 or more]: the token, and its position, below T. */
  state: Slice;
  /** Written: [H·dh], already multiplied by the gates. */
  context: Slice;
  /** T, for the count of work alone: the position is not known when this is recorded. */
  contextLength: number;
  /** H, a multiple of keyValueHeads. */
  heads: number;
  /** G */
  keyValueHeads: number;
  /** dh, even, at most 128. */
  headDim: number;
  label: string;
}

/**
 * Appends attention of the query in the position's row over all rows of the cache up to it: one dispatch
 * (shaders/attention_cached.wgsl; shaders/software/attention_cached.wgsl).
 *
 * @throws on a head dimension that is odd or above 128, and on heads that do not divide into groups.
 */
export function attentionCached(recorder: Recorder, options: CachedAttention): void {
  const { cache, gates, headGate, state, context, contextLength, heads, keyValueHeads, headDim } = options;
  checkHeads(options);
  const { width, places } = vectorsOf(headDim);
  const head = headDim / width;
  const software = recorder.profile === 'software';
  const sizes = { heads, groups: keyValueHeads, headGate, head };
  const slices = Math.floor(CACHED_TEAM ** 2 / head);
  const source = software ? softwareCachedSource : cachedSource;
  recorder.dispatch({
    kernel: {
      name: `attention cached${software ? ' by vectors' : ''} ${headDim}`,
      code: fillTemplate(`${headSource}\n${source}`, places),
      entryPoint: 'attention_cached',
    },
    label: options.label,
    uniforms: software ? sizes : { ...sizes, team: CACHED_TEAM, slices },
    bindings: [cache, gates, state, context],
    workgroups: [software ? Math.ceil((heads * head) / CACHED_SOFTWARE_THREADS) : heads],
    work: {
      flops: 4 * headDim * heads * contextLength,
      bytes: 4 * headDim * 2 * (keyValueHeads * contextLength + heads),
    },
  });
}
