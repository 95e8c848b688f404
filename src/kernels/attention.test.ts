import { describe, expect, test } from 'vitest';
import type { KernelProfile } from '../gpu/device';
import {
  attentionBackward,
  attentionCached,
  attentionForward,
  type AttentionShape,
  type AttentionVariant,
} from './attention';
import { attentionGradientReference, attentionReference } from './attention.reference';
import { headGateSums } from './head-gate-sums';
import { ropeTable } from './rope';
import { ropeReference } from './rope.reference';
import {
  download,
  expectClose,
  numericalGradient,
  PROFILES,
  randomValues,
  runOnce,
  upload,
  uploadWords,
  zeros,
} from './testing';

/** Batch, context, heads, key/value heads, head dimension: each way that the template divides a head. */
const SHAPES = [
  [1, 1, 1, 1, 2],
  [2, 7, 3, 1, 6],
  [3, 33, 2, 2, 10],
  [2, 37, 6, 3, 12],
  [2, 139, 3, 1, 8],
  [1, 65, 4, 2, 16],
  [2, 128, 6, 2, 32],
  [3, 35, 4, 4, 32],
  [1, 70, 3, 3, 48],
  [1, 100, 3, 1, 64],
  [1, 41, 2, 1, 128],
  [1, 19, 1, 1, 126],
  [2, 9, 70, 14, 2],
].map(([batch, contextLength, heads, keyValueHeads, headDim]) => {
  return { batch, contextLength, heads, keyValueHeads, headDim } as AttentionShape;
});
const HEAD_GATE = 3;

const rowsOf = (s: AttentionShape) => s.batch * s.contextLength;
const columnsOf = (s: AttentionShape) => (s.heads + 2 * s.keyValueHeads) * s.headDim;

/** A layer's gates, the last of several closed, behind three gates of something else. */
function gatesOf({ keyValueHeads: G }: AttentionShape): Float64Array {
  const layer = Float64Array.from({ length: G }, (_, g) =>
    g > 0 && g === G - 1 ? 0 : Math.fround(1 - 0.3 * g),
  );
  return Float64Array.from([9, 9, 9, ...layer]);
}

/**
 * Scores of inputs below 1.5 reach √dh·2 and carry dh·2⁻²⁴ of that as rounding; exp turns absolute into
 * relative errors and adds WGSL's 3 + 2·|x| ulp.
 */
const relative = ({ headDim }: AttentionShape) => (headDim + 8 * Math.sqrt(headDim) + 16) * 2 ** -23;

/** Each way to compute it, with the head dimensions that have it. */
const VARIANTS: [string, KernelProfile, AttentionVariant | undefined, (headDim: number) => boolean][] = [
  ['chosen for GPUs', 'gpu', undefined, () => true],
  ['walk', 'gpu', 'walk', (headDim) => headDim % 8 === 0 && headDim <= 32],
  ['16 lanes of 16 rows', 'gpu', { lanes: 16, rows: 16, atOnce: 1 }, (headDim) => headDim === 16],
  ['chosen for software adapters', 'software', undefined, (headDim) => headDim === 16 || headDim === 32],
];

describe.each(VARIANTS)('attention, %s', (_, profile, variant, has) => {
  const shapes = SHAPES.filter(({ headDim }) => has(headDim)).map((shape) => ({
    ...shape,
    ...(variant && { variant }),
  }));

  test.each(shapes)('forward, %o', async (shape) => {
    const qkv = randomValues(rowsOf(shape) * columnsOf(shape), 1, 1.5);
    const gates = gatesOf(shape);
    const [context, lse] = [
      await upload(randomValues(rowsOf(shape) * shape.heads * shape.headDim, 2)),
      await upload(randomValues(rowsOf(shape) * shape.heads, 3)),
    ];
    const given = { qkv: await upload(qkv), gates: await upload(gates), headGate: HEAD_GATE };
    await runOnce(
      (r) => attentionForward(r, { ...shape, ...given, context, lse, label: 'attention' }),
      profile,
    );
    const expected = attentionReference(qkv, gates.slice(HEAD_GATE), shape);
    const groupHeads = shape.heads / shape.keyValueHeads;
    const openLse = expected.lse.map((v, i) =>
      gates[HEAD_GATE + Math.floor((i % shape.heads) / groupHeads)] === 0 ? 0 : v,
    );
    expectClose(await download(context), expected.context, { atol: 1.5 * relative(shape), rtol: 0 });
    expectClose(await download(lse), openLse, { atol: 2 * relative(shape), rtol: 2 ** -22 });
  });

  test.each(shapes)('gradients, %o', async (shape) => {
    const qkv = randomValues(rowsOf(shape) * columnsOf(shape), 1, 1.5);
    const dContext = randomValues(rowsOf(shape) * shape.heads * shape.headDim, 4);
    const gates = gatesOf(shape);
    const table = ropeTable(shape.headDim, shape.contextLength + 1, { theta: 500 });
    const own = gates.slice(HEAD_GATE);
    const forward = attentionReference(qkv, own, shape);
    const given = {
      qkv: await upload(qkv),
      table: await upload(table),
      gates: await upload(gates),
      context: await upload(forward.context),
      dContext: await upload(dContext),
      lse: await upload(forward.lse),
      dqkv: await upload(randomValues(qkv.length, 6)),
      delta: await upload(randomValues(rowsOf(shape) * shape.heads, 7)),
    };
    const sums = await zeros(shape.keyValueHeads);
    const layer = { gates: given.gates, headGate: HEAD_GATE, delta: given.delta, label: 'attention' };
    await runOnce((r) => {
      attentionBackward(r, { ...shape, ...given, headGate: HEAD_GATE, label: 'attention' });
      headGateSums(r, { ...shape, ...layer, sums, to: 0, stride: 0, layers: 1, rows: rowsOf(shape) });
    }, profile);
    const expected = attentionGradientReference(qkv, own, dContext, shape);
    const dqkv = ropeReference(expected.dqkv, null, table, { ...shape, context: shape.contextLength }, -1);
    // ds = p·(dP − D): dP and D are sums of dh products below 1.5; a key sums over group heads and queries.
    const scale = 1.5 * Math.sqrt(shape.headDim) * 3 * (shape.heads / shape.keyValueHeads);
    expectClose(await download(given.dqkv), dqkv, { atol: scale * relative(shape), rtol: 2 ** -18 });

    const dGates = await download(sums);
    for (let g = 0; g < shape.keyValueHeads; g++) {
      const bound = rowsOf(shape) * shape.headDim * 1e-6;
      expect(Math.abs(dGates[g]! - (own[g] === 0 ? 0 : expected.dGates[g]!))).toBeLessThan(bound);
    }
  });
});

describe.each(PROFILES)('one query over the cache, %s kernels', (profile) => {
  test.each([
    { contextLength: 1, position: 0, heads: 1, keyValueHeads: 1, headDim: 2 },
    { contextLength: 7, position: 4, heads: 6, keyValueHeads: 3, headDim: 6 },
    { contextLength: 40, position: 39, heads: 6, keyValueHeads: 2, headDim: 16 },
    { contextLength: 261, position: 255, heads: 3, keyValueHeads: 3, headDim: 12 },
    { contextLength: 261, position: 256, heads: 4, keyValueHeads: 2, headDim: 80 },
    { contextLength: 600, position: 598, heads: 2, keyValueHeads: 1, headDim: 128 },
  ])('%o', async ({ position, ...sizes }) => {
    const shape = { ...sizes, batch: 1 };
    const cache = randomValues(rowsOf(shape) * columnsOf(shape), 1, 1.5);
    const gates = gatesOf(shape);
    const width = shape.heads * shape.headDim;
    const context = await upload(new Float64Array(width).fill(9));
    const given = { cache: await upload(cache), gates: await upload(gates), headGate: HEAD_GATE, context };
    const state = await uploadWords([3, position]);
    await runOnce((r) => attentionCached(r, { ...shape, ...given, state, label: 'attention' }), profile);
    const all = attentionReference(cache, gates.slice(HEAD_GATE), shape).context;
    const expected = all.slice(position * width, (position + 1) * width);
    expectClose(await download(context), expected, { atol: 1.5 * relative(shape), rtol: 0 });
  });
});

test('the reference has the gradients of central differences', () => {
  const shape: AttentionShape = { batch: 2, contextLength: 4, heads: 4, keyValueHeads: 2, headDim: 4 };
  const qkv = randomValues(rowsOf(shape) * columnsOf(shape), 1, 2);
  const dContext = randomValues(rowsOf(shape) * shape.heads * shape.headDim, 2);
  const gates = Float64Array.of(0.7, 0.4);
  const loss = (x: Float64Array, z: Float64Array) =>
    attentionReference(x, z, shape).context.reduce((sum, c, i) => sum + c * dContext[i]!, 0);
  const { dqkv, dGates } = attentionGradientReference(qkv, gates, dContext, shape);
  const close = { atol: 1e-8, rtol: 1e-8 };
  expectClose(
    numericalGradient((v) => loss(v, gates), qkv),
    dqkv,
    close,
  );
  expectClose(
    numericalGradient((v) => loss(qkv, v), gates),
    dGates,
    close,
  );
});

test('refuses head dimensions it has no template for', async () => {
  const slice = await zeros(4);
  const given = { qkv: slice, gates: slice, headGate: 0, context: slice, lse: slice, label: 'attention' };
  const shape = { batch: 1, contextLength: 1, heads: 1, keyValueHeads: 1 };
  for (const headDim of [3, 130]) {
    await expect(runOnce((r) => attentionForward(r, { ...given, ...shape, headDim }))).rejects.toThrow(
      /even/,
    );
  }
});
