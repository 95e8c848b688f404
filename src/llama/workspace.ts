import { alignElements, createStorage, sliceElements, type Slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Partials } from '../kernels/column-sum';
import { matmulScratchElements } from '../kernels/matmul';
import { adapterLayout, type AdapterPlace, type LoraOptions } from './adapters';
import type { LlamaConfig } from './config';
import { gateLayout } from './gates';
import { LINEARS, linearShapes, type LinearName } from './parameters';

/** Names and lengths (in 32-bit elements) of the buffers of a part: allocated from, and estimated from. */
export type BufferPlan = readonly { name: string; elements: number }[];

export function planBytes(plan: BufferPlan): number {
  return plan.reduce((sum, { elements }) => sum + Math.max(16, elements * 4), 0);
}

/** Allocates every buffer of a plan; `destroy` gives all of them back. */
export function allocate(gpu: Gpu, label: string, plan: BufferPlan) {
  const slices = new Map<string, Slice>();
  const destroy = () => {
    for (const slice of slices.values()) gpu.destroyBuffer(slice.buffer);
    slices.clear();
  };
  try {
    for (const { name, elements } of plan) slices.set(name, createStorage(gpu, `${label} ${name}`, elements));
  } catch (error) {
    destroy();
    throw error;
  }
  return {
    slice(name: string): Slice {
      const slice = slices.get(name);
      if (!slice) throw new Error(`${label} has no buffer ${name}`);
      return slice;
    },
    destroy,
  };
}

/** Windows of a batch and tokens in each. */
export interface BatchShape {
  batch: number;
  context: number;
}

/** Where the forward program leaves what it computes; M = batch·context rows. */
export interface Activations {
  tokens: Slice;
  /** [2L + 1] of [M, d]: the residual stream that each norm reads. */
  residual: readonly Slice[];
  /** [2L + 1] of [M, d]: each norm's output. */
  normed: readonly Slice[];
  /** [2L] of [M, d]: attention and MLP outputs before their gates. */
  branch: readonly Slice[];
  /** [L] of [M, (H + 2G)·dh] */
  qkv: readonly Slice[];
  /** [L] of [M, H·dh]: gated. */
  attended: readonly Slice[];
  /** [L] of [M, H]: log-sum-exp of the scores. */
  logSumExp: readonly Slice[];
  /** [L] of [M, 2I] */
  gateUp: readonly Slice[];
  /** [L] of [M, I] */
  activated: readonly Slice[];
}

/** Rows of logits that are held at once: a large vocabulary is worked through in chunks of rows. */
const LOGITS_BYTES = 64 * 1024 * 1024;

export function logitsRows(config: LlamaConfig, { batch, context }: BatchShape): number {
  const rows = batch * context;
  const fitting = Math.floor(LOGITS_BYTES / (4 * config.vocabSize * 64)) * 64;
  return Math.min(rows, Math.max(64, fitting));
}

/**
 * Row blocks of the partial column sums (src/kernels/column-sum.ts), each a workgroup of the kernels that write
 * them: one per eight rows, which a norm's workgroup takes at a time; 256 at most, since a GPU is busy by then and
 * the blocks have to be added up; 32 at least, but otherwise no more than 32 MiB of sums.
 */
function partialBlocks(config: LlamaConfig, { batch, context }: BatchShape): number {
  const fitting = Math.floor(2 ** 23 / partialColumns(config).total);
  return Math.max(32, Math.min(256, Math.ceil((batch * context) / 8), fitting));
}

/** Elements from one layer's D (attention.wgsl) to the next. */
export function deltaStride(config: LlamaConfig, { batch, context }: BatchShape): number {
  return alignElements(batch * context * config.numAttentionHeads);
}

/** Columns of the partial sums, in the order that column_sum and gate_gradient read them. */
export function partialColumns(config: LlamaConfig) {
  const { hiddenSize: d, numHiddenLayers: L, intermediateSize: I } = config;
  const normWeights = 0;
  const normGates = (2 * L + 1) * d;
  const branches = normGates + (2 * L + 1) * d;
  const intermediate = branches + 2 * L * d;
  return { normWeights, normGates, branches, intermediate, total: intermediate + L * I };
}

/**
 * Training keeps every layer's activations for the gradients; inference reuses one layer's; decoding does, too, but
 * keeps each layer's queries, keys and values.
 */
type Keep = 'every layer' | 'one layer' | 'every qkv';

function activationPlan(config: LlamaConfig, { batch, context }: BatchShape, keep: Keep): BufferPlan {
  const rows = batch * context;
  const { hiddenSize: d, intermediateSize: I, numAttentionHeads: H, numKeyValueHeads: G, headDim } = config;
  const layers = keep === 'every layer' ? config.numHiddenLayers : 1;
  const sites = keep === 'every layer' ? 2 * layers + 1 : 1;
  const each = (name: string, count: number, elements: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `${name} ${i}`, elements }));
  return [
    // A branch is added from one residual buffer into another, so inference needs two.
    ...each('residual', Math.max(2, sites), rows * d),
    ...each('normed', sites, rows * d),
    ...each('branch', Math.max(1, sites - 1), rows * d),
    ...each('qkv', keep === 'one layer' ? 1 : config.numHiddenLayers, rows * (H + 2 * G) * headDim),
    ...each('attended', layers, rows * H * headDim),
    ...each('log-sum-exp', layers, rows * H),
    ...each('gate-up', layers, rows * 2 * I),
    ...each('activated', layers, rows * I),
  ];
}

type Allocation = ReturnType<typeof allocate>;

/** What adapters work in (linear.ts). */
export interface AdapterBuffers {
  /** [M, r] of a site: drop(x)·Aᵀ. */
  hidden(site: number): Slice;
  /** [M, most columns of an adapter]: one adapter's part of a product, or of its gradient. */
  columns: Slice;
  /** [M, most inputs of an adapter], where training drops some of them. */
  input: Slice | null;
}

function adapterPlaces(config: LlamaConfig, lora: LoraOptions): AdapterPlace[] {
  return adapterLayout(config, lora).layers.flatMap((layer) => LINEARS.flatMap((name) => layer[name]));
}

function adapterPlan(
  config: LlamaConfig,
  { batch, context }: BatchShape,
  lora: LoraOptions | null,
  keep: Keep,
): BufferPlan {
  if (!lora) return [];
  const rows = batch * context;
  const places = adapterPlaces(config, lora);
  const most = (of: 'columns' | 'inputs') => rows * Math.max(...places.map((place) => place[of]));
  const hidden = rows * lora.rank;
  const columns = { name: 'adapter columns', elements: most('columns') };
  if (keep === 'one layer') return [{ name: 'adapter hidden', elements: hidden }, columns];
  return [
    ...places.map(({ site }) => ({ name: `adapter hidden ${site}`, elements: hidden })),
    columns,
    { name: 'adapter hidden gradient', elements: hidden },
    ...(lora.dropout > 0 ? [{ name: 'adapter input', elements: most('inputs') }] : []),
  ];
}

function activations(config: LlamaConfig, allocation: Allocation, keep: Keep, tokens: Slice): Activations {
  const L = config.numHiddenLayers;
  const every = keep === 'every layer';
  const slices = (name: string, count: number, buffers: number) =>
    Array.from({ length: count }, (_, i) => allocation.slice(`${name} ${every ? i : i % buffers}`));
  return {
    tokens,
    residual: slices('residual', 2 * L + 1, 2),
    normed: slices('normed', 2 * L + 1, 1),
    branch: slices('branch', 2 * L, 1),
    qkv: slices('qkv', L, keep === 'one layer' ? 1 : L),
    attended: slices('attended', L, 1),
    logSumExp: slices('log-sum-exp', L, 1),
    gateUp: slices('gate-up', L, 1),
    activated: slices('activated', L, 1),
  };
}

function ropeElements(config: LlamaConfig, { context }: BatchShape): number {
  return context * config.headDim;
}

/** `lora`: of a model that is evaluated with its adapters. */
export function inferencePlan(
  config: LlamaConfig,
  shape: BatchShape,
  lora: LoraOptions | null = null,
): BufferPlan {
  return [
    { name: 'tokens', elements: shape.batch * shape.context },
    ...activationPlan(config, shape, 'one layer'),
    ...adapterPlan(config, shape, lora, 'one layer'),
    { name: 'rope', elements: ropeElements(config, shape) },
    { name: 'gates', elements: gateLayout(config).total },
    { name: 'targets', elements: shape.batch * shape.context },
    { name: 'losses', elements: shape.batch * shape.context },
    { name: 'logits', elements: logitsRows(config, shape) * config.vocabSize },
  ];
}

export function allocateInference(
  gpu: Gpu,
  label: string,
  config: LlamaConfig,
  shape: BatchShape,
  lora: LoraOptions | null = null,
) {
  const allocation = allocate(gpu, label, inferencePlan(config, shape, lora));
  const adapters: AdapterBuffers | null = lora && {
    hidden: () => allocation.slice('adapter hidden'),
    columns: allocation.slice('adapter columns'),
    input: null,
  };
  return {
    adapters,
    ...activations(config, allocation, 'one layer', allocation.slice('tokens')),
    rope: allocation.slice('rope'),
    gates: allocation.slice('gates'),
    targets: allocation.slice('targets'),
    losses: allocation.slice('losses'),
    logits: allocation.slice('logits'),
    destroy: () => allocation.destroy(),
  };
}

/**
 * What a model works in that writes one sequence of up to `context` tokens: the activations of a prompt, whose first
 * rows serve a single token, and each layer's qkv, which stays as its cache.
 */
export function decodePlan(config: LlamaConfig, context: number): BufferPlan {
  const { numAttentionHeads: H, numKeyValueHeads: G, headDim } = config;
  const shape = { batch: 1, context };
  return [
    { name: 'tokens', elements: context },
    ...activationPlan(config, shape, 'every qkv'),
    { name: 'token qkv', elements: (H + 2 * G) * headDim },
    { name: 'rope', elements: ropeElements(config, shape) },
    { name: 'gates', elements: gateLayout(config).total },
    { name: 'logits', elements: config.vocabSize },
    { name: 'state', elements: DECODE_STATE },
  ];
}

/** Words of a decoder's state: token, position, and what `argmax` says of the logits. */
const DECODE_STATE = 4;

export function allocateDecode(gpu: Gpu, label: string, config: LlamaConfig, context: number) {
  const allocation = allocate(gpu, label, decodePlan(config, context));
  return {
    adapters: null,
    ...activations(config, allocation, 'every qkv', allocation.slice('tokens')),
    /** [(H + 2G)·dh]: the product of one token, before it goes into the cache. */
    tokenQkv: allocation.slice('token qkv'),
    rope: allocation.slice('rope'),
    gates: allocation.slice('gates'),
    logits: allocation.slice('logits'),
    /** u32 [4]: token, position, what `argmax` says. */
    state: allocation.slice('state'),
    destroy: () => allocation.destroy(),
  };
}

/** What a model works in that teaches another: the other's tokens are its tokens, and only its logits are wanted. */
export function teacherPlan(config: LlamaConfig, shape: BatchShape): BufferPlan {
  return [
    ...activationPlan(config, shape, 'one layer'),
    { name: 'rope', elements: ropeElements(config, shape) },
    { name: 'gates', elements: gateLayout(config).total },
    { name: 'logits', elements: logitsRows(config, shape) * config.vocabSize },
    { name: 'divergences', elements: shape.batch * shape.context },
  ];
}

export function allocateTeacher(
  gpu: Gpu,
  label: string,
  config: LlamaConfig,
  shape: BatchShape,
  tokens: Slice,
) {
  const allocation = allocate(gpu, label, teacherPlan(config, shape));
  return {
    adapters: null,
    ...activations(config, allocation, 'one layer', tokens),
    rope: allocation.slice('rope'),
    gates: allocation.slice('gates'),
    logits: allocation.slice('logits'),
    divergences: allocation.slice('divergences'),
    destroy: () => allocation.destroy(),
  };
}

/**
 * Scratch of the products that may split k: of each weight gradient of a layer, whose sums wait for each other, and
 * of one product at a time, whose sum does not wait. With adapters the waiting ones are theirs.
 */
function productScratchElements(config: LlamaConfig, shape: BatchShape, lora: LoraOptions | null) {
  const { hiddenSize: d } = config;
  const rows = shape.batch * shape.context;
  const chunk = logitsRows(config, shape);
  const shapes = linearShapes(config);
  const inputs = Object.values(shapes).map(({ n, k }) => ({ m: rows, n: k, k: n }));
  // Every layer has the same adapters.
  const adapters = lora && adapterLayout(config, lora).layers[0]!;
  const adapterInputs = lora
    ? adapterPlaces(config, lora).flatMap(({ columns, inputs }) => [
        { m: rows, n: lora.rank, k: columns },
        { m: rows, n: inputs, k: lora.rank },
      ])
    : [];
  const head = [chunk, rows % chunk || chunk].flatMap((count) => [
    { m: count, n: d, k: config.vocabSize },
    ...(lora ? [] : [{ m: config.vocabSize, n: d, k: count }]),
  ]);
  const gradientsOf = (name: LinearName) => {
    if (!lora || !adapters) return [{ m: shapes[name].n, n: shapes[name].k }];
    const { rank } = lora;
    return adapters[name].flatMap(({ columns, inputs }) => [
      { m: columns, n: rank },
      { m: rank, n: inputs },
    ]);
  };
  const waiting = (name: LinearName) =>
    gradientsOf(name).reduce(
      (sum, size) => sum + alignElements(matmulScratchElements({ ...size, k: rows })),
      0,
    );
  return {
    single: alignElements(Math.max(...[...inputs, ...adapterInputs, ...head].map(matmulScratchElements))),
    down: waiting('down'),
    gateUp: waiting('gateUp'),
    output: waiting('output'),
    qkv: waiting('qkv'),
  };
}

const sumOf = (values: Readonly<Record<string, number>>) => Object.values(values).reduce((a, b) => a + b, 0);

/** `lora`: adapters are trained and the weights are not. */
export function trainingPlan(
  config: LlamaConfig,
  shape: BatchShape,
  lora: LoraOptions | null = null,
): BufferPlan {
  const rows = shape.batch * shape.context;
  const { hiddenSize: d, intermediateSize: I, numAttentionHeads: H, numKeyValueHeads: G, headDim } = config;
  const columns = partialColumns(config);
  return [
    { name: 'tokens', elements: rows },
    ...activationPlan(config, shape, 'every layer'),
    ...adapterPlan(config, shape, lora, 'every layer'),
    { name: 'rope', elements: ropeElements(config, shape) },
    { name: 'gates', elements: gateLayout(config).total },
    { name: 'targets', elements: rows },
    { name: 'losses', elements: rows },
    { name: 'logits', elements: logitsRows(config, shape) * config.vocabSize },
    { name: 'positions', elements: rows },
    { name: 'starts', elements: config.vocabSize + 1 },
    { name: 'residual gradient', elements: rows * d },
    { name: 'normed gradient', elements: rows * d },
    { name: 'branch gradient', elements: rows * d },
    { name: 'activated gradient', elements: rows * I },
    { name: 'attended gradient', elements: rows * H * headDim },
    { name: 'qkv gradient', elements: rows * (H + 2 * G) * headDim },
    { name: 'delta', elements: config.numHiddenLayers * deltaStride(config, shape) },
    { name: 'product scratch', elements: sumOf(productScratchElements(config, shape, lora)) },
    { name: 'partials', elements: partialBlocks(config, shape) * columns.total },
    // The column sums of the gates, then the head gates'.
    { name: 'gate sums', elements: columns.total - columns.normGates + config.numHiddenLayers * G },
  ];
}

/** The scratch as a whole and its parts in order. */
function scratchParts(whole: Slice, elements: ReturnType<typeof productScratchElements>) {
  let end = 0;
  const part = (length: number) => sliceElements(whole, (end += length) - length, length);
  const { single, down, gateUp, output, qkv } = elements;
  return {
    whole,
    single: part(single),
    down: part(down),
    gateUp: part(gateUp),
    output: part(output),
    qkv: part(qkv),
  };
}

export function allocateTraining(
  gpu: Gpu,
  label: string,
  config: LlamaConfig,
  shape: BatchShape,
  lora: LoraOptions | null = null,
) {
  const allocation = allocate(gpu, label, trainingPlan(config, shape, lora));
  const adapters: (AdapterBuffers & { hiddenGradient: Slice }) | null = lora && {
    hidden: (site) => allocation.slice(`adapter hidden ${site}`),
    columns: allocation.slice('adapter columns'),
    input: lora.dropout > 0 ? allocation.slice('adapter input') : null,
    hiddenGradient: allocation.slice('adapter hidden gradient'),
  };
  const partials: Partials = {
    slice: allocation.slice('partials'),
    blocks: partialBlocks(config, shape),
    columns: partialColumns(config).total,
  };
  return {
    adapters,
    ...activations(config, allocation, 'every layer', allocation.slice('tokens')),
    rope: allocation.slice('rope'),
    gates: allocation.slice('gates'),
    targets: allocation.slice('targets'),
    losses: allocation.slice('losses'),
    logits: allocation.slice('logits'),
    positions: allocation.slice('positions'),
    starts: allocation.slice('starts'),
    residualGradient: allocation.slice('residual gradient'),
    normedGradient: allocation.slice('normed gradient'),
    branchGradient: allocation.slice('branch gradient'),
    activatedGradient: allocation.slice('activated gradient'),
    attendedGradient: allocation.slice('attended gradient'),
    qkvGradient: allocation.slice('qkv gradient'),
    delta: allocation.slice('delta'),
    gateSums: allocation.slice('gate sums'),
    productScratch: scratchParts(
      allocation.slice('product scratch'),
      productScratchElements(config, shape, lora),
    ),
    partials,
    destroy: () => allocation.destroy(),
  };
}

export type TrainingWorkspace = ReturnType<typeof allocateTraining>;
