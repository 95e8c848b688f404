import { beforeAll, describe, expect, test } from 'vitest';
import type { Slice } from '../gpu/buffers';
import type { DispatchDescription, Recorder } from '../gpu/program';
import { packUniforms } from '../gpu/uniforms';
import { adamw } from './adamw';
import { addBias } from './add-bias';
import { argmax } from './argmax';
import { attentionBackward, attentionCached, attentionForward } from './attention';
import { columnMoments } from './column-moments';
import { columnSum } from './column-sum';
import { addColumns, takeColumns } from './columns';
import { constraint } from './constraint';
import { crossEntropy } from './cross-entropy';
import { distillation } from './distillation';
import { dropout } from './dropout';
import { embeddingBackward, embeddingForward } from './embedding';
import { gateGradient } from './gate-gradient';
import { gateLayoutOf } from './gate-layout.reference';
import { globalNorm } from './global-norm';
import { sampleGates } from './hard-concrete';
import { headGateSums } from './head-gate-sums';
import { matmul } from './matmul';
import { matvec } from './matvec';
import { productSums } from './product-sums';
import { rmsNormBackward, rmsNormForward } from './rms-norm';
import { rope } from './rope';
import { ropeToCache } from './rope-cache';
import { rowCosine } from './row-cosine';
import { setSquares } from './set-squares';
import { stepMetrics } from './step-metrics';
import { swigluBackward, swigluForward } from './swiglu';
import { targetRank } from './target-rank';
import { PROFILES, testGpu } from './testing';
import { entryPointsOf, usageOf } from './wgsl-usage';

/** What every WebGPU device has; the lab asks for no more. */
const STORAGE_BINDINGS = 8;
const WORKGROUP_BYTES = 16_384;
const INVOCATIONS = 256;
/** What `recordProgram` keeps for each dispatch: the offsets of uniform bindings are multiples of 256 bytes. */
const UNIFORM_WORDS = 64;

const HEAD_DIMS = [2, 6, 12, 16, 32, 64, 80, 128];

/** Nothing is run here, so one slice stands for every buffer. */
const s: Slice = { buffer: {} as GPUBuffer, offset: 0, size: 1024 };
const partials = { slice: s, blocks: 4, columns: 64 };
const label = 'test';

/** Calls every host function in each variant that its options choose. */
function recordEverything(r: Recorder): void {
  const rows = 8;
  for (const layout of ['nt', 'nn', 'tn'] as const) {
    const product = { layout, a: s, b: s, c: s, k: 8, label };
    for (const size of [64, 4096]) matmul(r, { ...product, m: size, n: size });
    for (const size of [64, 63]) matmul(r, { ...product, m: size, n: size, k: size });
  }
  for (const bias of [undefined, s]) {
    for (const k of [8, 9, 2048]) matvec(r, { matrix: s, x: s, bias, y: s, n: 8, k, label });
    const token = { product: s, bias, table: s, state: s, cache: s };
    ropeToCache(r, { ...token, heads: 4, keyValueHeads: 2, headDim: 8, label });
  }
  argmax(r, { logits: s, state: s, vocabulary: 8, label });
  const norm = { x: s, weights: s, weightOffset: 0, gates: s, rows, hidden: 64, epsilon: 1e-5, label };
  const normGradients = { ...norm, dY: s, dX: s, addToResidual: true, partials, weightColumn: 0 };
  const branch = { output: s, layerGate: 0, dOutput: s };
  rmsNormForward(r, { ...norm, y: s });
  rmsNormForward(r, { ...norm, y: s, hidden: 63 });
  rmsNormBackward(r, { ...normGradients, hidden: 63, hiddenGateColumn: 0 });
  rmsNormForward(r, { ...norm, y: s, residual: s, branch });
  rmsNormBackward(r, { ...normGradients, hiddenGateColumn: 0 });
  rmsNormBackward(r, { ...normGradients, hiddenGateColumn: 0, branchColumn: 0, branch });
  for (const headDim of HEAD_DIMS) {
    const heads = { batch: 1, heads: 4, keyValueHeads: 2, headDim, label };
    rope(r, { ...heads, qkv: s, table: s, context: 8 });
    rope(r, { ...heads, qkv: s, table: s, context: 8, bias: s });
    const shared = { ...heads, contextLength: 8, qkv: s, gates: s, headGate: 0, lse: s, context: s };
    const gradients = { dContext: s, table: s, dqkv: s, delta: s };
    attentionForward(r, shared);
    attentionBackward(r, { ...shared, ...gradients });
    attentionCached(r, { ...shared, cache: s, state: s });
  }
  const sums = { delta: s, stride: 8, gates: s, headGate: 0, sums: s, to: 0, layers: 1, rows };
  headGateSums(r, { ...sums, heads: 2, keyValueHeads: 1, label });
  addBias(r, { values: s, bias: s, rows, columns: 8, label });
  const columns = { whole: s, part: s, rows, width: 8, first: 2, columns: 4, scale: 2, label };
  takeColumns(r, columns);
  addColumns(r, columns);
  dropout(r, { x: s, y: s, elements: 8, rate: 0.5, site: 0, step: s, label });
  const units = { gates: s, intermediateGate: 0, rows, intermediate: 8, label };
  swigluForward(r, { ...units, gateUp: s, act: s });
  swigluBackward(r, { ...units, gateUp: s, dAct: s, partials, intermediateGateColumn: 0 });
  crossEntropy(r, { logits: s, targets: s, losses: s, rows, vocabulary: 8, label });
  const distilled = { logits: s, teacherLogits: s, targets: s, losses: s, divergences: s, step: s };
  distillation(r, { ...distilled, rows, vocabulary: 8, label });
  targetRank(r, { logits: s, targets: s, ranks: s, rows, vocabulary: 8, label });
  embeddingForward(r, { table: s, tokens: s, output: s, rows, hidden: 8, label });
  embeddingBackward(r, {
    dOutput: s,
    positions: s,
    starts: s,
    dTable: s,
    accumulate: false,
    vocabulary: 8,
    hidden: 8,
    label,
  });
  columnSum(r, { partials, firstColumn: 0, columns: 8, destination: s, destinationOffset: 0, label });
  const scored = { rows, columns: 8, destination: s, destinationOffset: 0, label };
  columnMoments(r, { ...scored, values: s, windows: 2, window: 4 });
  rowCosine(r, { ...scored, a: s, b: s });
  const pending = [{ products: s, slices: 2, elements: 8, destination: s }];
  productSums(r, { pending, products: s, destination: s, label });
  const sizes = { hidden: 8, layers: 2, keyValueHeads: 2, intermediate: 8 };
  const layout = gateLayoutOf(sizes);
  gateGradient(r, { sums: s, gates: s, gradient: s, ...sizes, label });
  sampleGates(r, { logAlpha: s, gates: s, step: s, layout, label });
  constraint(r, { variables: s, gates: s, gradient: s, rowSparsity: s, state: s, step: s, layout, label });
  globalNorm(r, { gradient: s, scratch: s, state: s, step: s, label });
  setSquares(r, { logAlpha: s, gradient: s, squares: s, layout, label });
  const trained = { parameters: s, gradient: s, firstMoment: s, secondMoment: s, gradientState: s };
  const groups = { decayEnd: 1, weightEnd: 2, gateEnd: 3, elements: 4 };
  adamw(r, { ...trained, groups, step: s, label });
  adamw(r, { ...trained, squares: s, groups, step: s, label });
  const metrics = { losses: s, windowDomains: s, windows: 1, windowLength: 8, predictionsPerWindow: 7 };
  stepMetrics(r, { ...metrics, gradientState: s, ring: s, step: s, label });
  stepMetrics(r, {
    ...metrics,
    gradientState: s,
    ring: s,
    step: s,
    constraint: { state: s, variables: s, gateCount: 1 },
    label,
  });
}

const variants = new Map<string, DispatchDescription>();
for (const profile of PROFILES) {
  recordEverything({
    profile,
    dispatch: (d) => variants.set(`${d.kernel.entryPoint}\n${d.kernel.code}`, d),
  });
}
const named = [...variants.values()].map((d) => [`${d.kernel.name}: ${d.kernel.entryPoint}`, d] as const);

const shaders = import.meta.glob<string>('../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

describe('limits of every device', () => {
  beforeAll(async () => {
    const { limits } = (await testGpu()).device;
    // So that the compiler refuses what a modest device would: none of these was raised on request.
    expect(limits.maxComputeWorkgroupStorageSize).toBe(WORKGROUP_BYTES);
    expect(limits.maxComputeInvocationsPerWorkgroup).toBe(INVOCATIONS);
  });

  test('every entry point of every shader is recorded here', () => {
    const recorded = new Set(named.map(([, d]) => d.kernel.entryPoint));
    const declared = Object.values(shaders).flatMap(entryPointsOf);
    expect(declared.length).toBeGreaterThan(20);
    expect(declared.filter((entryPoint) => !recorded.has(entryPoint))).toEqual([]);
  });

  test.each(named)('%s', async (_, d) => {
    const usage = usageOf(d.kernel);
    expect(usage.storageBindings.length).toBeLessThanOrEqual(STORAGE_BINDINGS);
    expect(usage.workgroupBytes).toBeLessThanOrEqual(WORKGROUP_BYTES);
    expect(usage.invocations).toBeLessThanOrEqual(INVOCATIONS);

    // The host passes just the bindings that the entry point uses: 0 are the uniforms, then in order.
    const bindings = [...usage.uniformBindings, ...usage.storageBindings].sort((a, b) => a - b);
    const passed = d.bindings.map((_, i) => i + 1);
    const uniforms = packUniforms(d.label, d.kernel.code, d.uniforms);
    expect(bindings).toEqual(uniforms.length > 0 ? [0, ...passed] : passed);
    expect(uniforms.length).toBeLessThanOrEqual(UNIFORM_WORDS);

    const gpu = await testGpu();
    const module = gpu.device.createShaderModule({ label: d.kernel.name, code: d.kernel.code });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map((m) => `${m.lineNum}: ${m.message}`)).toEqual([]);
    await gpu.device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module, entryPoint: d.kernel.entryPoint },
    });
    expect(gpu.uncapturedError()).toBeNull();
  });
});
