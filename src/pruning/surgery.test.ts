import { describe, expect, it } from 'vitest';
import { randomValues, testGpu } from '../kernels/testing';
import type { LlamaConfig, TargetShape } from '../llama/config';
import { shapeOf } from '../llama/config';
import { GATE_SETS, type GateSet, gateLayout } from '../llama/gates';
import { createInference, uploadModel } from '../llama/inference';
import { parameterLayout } from '../llama/parameters';
import { randomParameters, TINY } from '../llama/testing';
import { closedOrOpen, deterministicMask, keptUnits, nearlyDead, type LearntSets } from './masks';
import { cutModel } from './surgery';

const plain: LlamaConfig = { ...TINY, numHiddenLayers: 3, numAttentionHeads: 4, numKeyValueHeads: 4 };
/** Grouped queries, tied embeddings, biases, and a head size that heads do not make up the hidden size with. */
const grouped: LlamaConfig = {
  ...plain,
  numAttentionHeads: 6,
  numKeyValueHeads: 3,
  headDim: 12,
  tieWordEmbeddings: true,
  attentionBias: true,
  mlpBias: true,
};
const target: TargetShape = {
  numHiddenLayers: 2,
  hiddenSize: 15,
  numAttentionHeads: 2,
  intermediateSize: 23,
};

const alone = (set: GateSet): LearntSets =>
  Object.fromEntries(GATE_SETS.map((s) => [s, s === set])) as LearntSets;
const combined: LearntSets = { hidden: true, head: true, intermediate: true, layer: true };

function targetFor(config: LlamaConfig, learnt: LearntSets): TargetShape {
  const shape = shapeOf(config);
  return {
    numHiddenLayers: learnt.layer ? target.numHiddenLayers : shape.numHiddenLayers,
    hiddenSize: learnt.hidden ? target.hiddenSize : shape.hiddenSize,
    numAttentionHeads: learnt.head ? target.numAttentionHeads : shape.numAttentionHeads,
    intermediateSize: learnt.intermediate ? target.intermediateSize : shape.intermediateSize,
  };
}

async function largestDifference(config: LlamaConfig, learnt: LearntSets) {
  const gpu = await testGpu();
  const parameters = randomParameters(config, 0.4);
  // Gates all over the clamp's range, so that what is kept is folded with values far from 1.
  const logAlpha = randomValues(gateLayout(config).total, 4, 4.6);
  const wanted = targetFor(config, learnt);
  const mask = deterministicMask(config, logAlpha, learnt, 2 / 3, wanted);
  const cut = cutModel(config, parameters, mask);
  const shape = { batch: 2, context: 17 };
  const tokens = Uint32Array.from(randomValues(34, 5), (v) => Math.floor((v + 1) * 30));

  const big = uploadModel(gpu, 'masked', { config, parameters });
  const small = uploadModel(gpu, 'cut', cut);
  const masked = await createInference(gpu, 'masked', big, shape);
  const pruned = await createInference(gpu, 'cut', small, shape);
  const open = await masked.logits(tokens, 0, 34);
  masked.setGates(mask);
  const a = await masked.logits(tokens, 0, 34);
  const b = await pruned.logits(tokens, 0, 34);
  for (const part of [big, small, masked, pruned]) part.destroy();
  expect(gpu.uncapturedError()).toBeNull();
  const difference = (x: Float32Array, y: Float32Array) =>
    x.reduce((largest, v, i) => Math.max(largest, Math.abs(v - y[i]!)), 0);
  return { cut, wanted, maskedVersusPruned: difference(a, b), openVersusMasked: difference(open, a) };
}

describe('masked == pruned', () => {
  const models = { plain, grouped };
  for (const [name, config] of Object.entries(models)) {
    for (const learnt of [...GATE_SETS.map(alone), combined]) {
      const sets = GATE_SETS.filter((s) => learnt[s]).join(', ');
      it(`${name}: ${sets}`, async () => {
        const { cut, wanted, maskedVersusPruned, openVersusMasked } = await largestDifference(config, learnt);
        expect(shapeOf(cut.config)).toEqual(wanted);
        // The two models sum the same terms in another order: f32 rounding of logits near 1. The issue asks 1e-4.
        expect(maskedVersusPruned).toBeLessThan(1e-4);
        // The masks do change the model, so that the comparison means something.
        expect(openVersusMasked).toBeGreaterThan(1e-2);
      });
    }
  }

  it('refuses masks that leave layers of different widths', () => {
    const mask = new Float32Array(gateLayout(plain).total).fill(1);
    mask[gateLayout(plain).intermediate.offset] = 0;
    expect(() => cutModel(plain, new Float32Array(parameterLayout(plain).total), mask)).toThrow(/MLP units/);
  });
});

describe('deterministic masks', () => {
  const tied = new Float64Array(gateLayout(plain).total).fill(4.60517);

  it('keeps exactly the target in every row, and of equal units the first ones', () => {
    const mask = deterministicMask(plain, tied, combined, 2 / 3, target);
    const { offset, length } = gateLayout(plain).hidden;
    const row = Array.from(mask.subarray(offset, offset + length));
    // σ(0.8 · 4.60517 / (2/3)) = 0.996035 (docs/method.md, section 4).
    expect(row.slice(0, 15).every((v) => Math.abs(v - 0.996035) < 1e-6)).toBe(true);
    expect(row.slice(15)).toEqual(Array(9).fill(0));
  });

  it('without a target rounds the expected number of closed gates', () => {
    const logAlpha = tied.slice();
    const { offset } = gateLayout(plain).hidden;
    logAlpha.fill(-4.60517, offset, offset + 7);
    const mask = deterministicMask(plain, logAlpha, combined, 2 / 3, null);
    // 24 − (17·0.997982 + 7·0.047130) = 6.7 → 7 closed.
    expect(Array.from(mask.subarray(offset, offset + 8))).toEqual([0, 0, 0, 0, 0, 0, 0, mask[offset + 8]]);
  });

  it('leaves sets alone that are not learnt', () => {
    const mask = deterministicMask(plain, tied, alone('head'), 2 / 3, {
      ...shapeOf(plain),
      numAttentionHeads: 1,
    });
    const { offset, length } = gateLayout(plain).intermediate;
    expect(Array.from(mask.subarray(offset, offset + length))).toEqual(Array(length).fill(1));
  });

  it('may have everything that is kept at 1', () => {
    const mask = deterministicMask(plain, tied, combined, 2 / 3, target);
    expect(closedOrOpen(mask)).toEqual(mask.map((value) => (value > 0 ? 1 : 0)));
    expect(new Set(closedOrOpen(mask))).toEqual(new Set([0, 1]));
  });

  it('count what they keep of gates that had nearly closed, in kept layers alone', () => {
    const layout = gateLayout(plain);
    const logAlpha = new Float64Array(layout.total).fill(2);
    const at = (set: GateSet, row: number, units: readonly number[], value: number) => {
      for (const unit of units) logAlpha[layout[set].offset + row * layout[set].length + unit] = value;
    };
    // 12 of 24 dimensions are below 0; the target keeps 15, so 3 of them.
    at('hidden', 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], -1);
    // One layer of three goes: what its rows keep does not count.
    at('layer', 0, [1], -3);
    for (const row of [0, 1]) at('intermediate', row, [...Array(40).keys()], -0.01);
    at('head', 2, [0, 1, 2], -4.6);
    const kept = keptUnits(plain, deterministicMask(plain, logAlpha, combined, 2 / 3, target));
    expect(nearlyDead(plain, kept, logAlpha, combined)).toEqual({
      hidden: 3,
      head: 1,
      intermediate: 23,
      layer: 0,
    });
    expect(nearlyDead(plain, kept, logAlpha, alone('head'))).toEqual({
      hidden: 0,
      head: 1,
      intermediate: 0,
      layer: 0,
    });
  });
});
