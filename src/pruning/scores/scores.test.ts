import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parseLlamaConfig } from '../../formats/hugging-face';
import { expectClose, testGpu } from '../../kernels/testing';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import { uploadModel } from '../../llama/inference';
import { packParameters, parameterLayout } from '../../llama/parameters';
import { randomParameters, TINY } from '../../llama/testing';
import { cutModel } from '../surgery';
import { CRITERIA, criterion } from '.';
import { calibrationBatches } from './calibration';
import type { Scores } from './criterion';
import { maskOfScores, protectedLayers, removalOrder } from './mask';
import { withScoring } from './scoring';
import { activationStatistics } from './statistics';
import { sumOverUnits } from './unit-weights';
import { warmLogAlpha } from './warm-start';

type Nested = number | Nested[];
type Values = Partial<Record<GateSet, Nested>>;

/** Scores by an independent float64 PyTorch model (scripts/reference/scores.py), of the models of golden.json. */
interface Reference {
  sequences: number[][];
  scores: Record<string, Values> & {
    loss: number;
    'sleb-order': number[];
    mean: { attended: number[][]; activated: number[][] };
  };
}

const read = (file: string) => JSON.parse(readFileSync(`scripts/reference/${file}`, 'utf8')) as unknown;
const references = read('scores.json') as Record<string, Reference>;
const golden = read('golden.json') as {
  models: Record<string, { config: object; weights: Record<string, { data: number[] }> }>;
};
const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat));

async function scoring<T>(name: string, use: Parameters<typeof withScoring<T>>[2]): Promise<T> {
  const { config: json, weights } = golden.models[name]!;
  const config = parseLlamaConfig({ model_type: 'llama', ...json });
  const tensors = new Map(Object.entries(weights).map(([n, { data }]) => [n, Float32Array.from(data)]));
  const model = { config, parameters: packParameters(parameterLayout(config), tensors) };
  const gpu = await testGpu();
  const view = uploadModel(gpu, 'scored', model);
  const batches = calibrationBatches(references[name]!.sequences.map((s) => Uint32Array.from(s)));
  try {
    return await withScoring(gpu, { model, view, batches, seed: 1, between: () => undefined }, use);
  } finally {
    view.destroy();
  }
}

/**
 * Relative to the score: float32 activations and losses agree with float64 to some 1e-6 of their size
 * (scripts/reference/README.md), gradients to 4e-7 absolute of terms that are small themselves; one minus a cosine
 * and a variance lose two digits.
 */
const TOLERANCE: Record<string, { rtol: number; atol: number }> = {
  taylor: { rtol: 2e-5, atol: 1e-6 },
  'block-influence': { rtol: 0, atol: 2e-6 },
  flap: { rtol: 1e-4, atol: 1e-6 },
};

describe.each(['a', 'b'])('scores of golden model %s', (name) => {
  const { scores } = references[name]!;
  test.each(CRITERIA.filter(({ id }) => id in scores))('$id', async ({ id, sets }) => {
    const { values, order } = await scoring(name, async (on) => criterion(id).score(on));
    for (const set of GATE_SETS) {
      expect(set in values && scores[id]![set] !== undefined).toBe(
        (sets as readonly GateSet[]).includes(set),
      );
      if (values[set])
        expectClose(values[set], flat(scores[id]![set]!), TOLERANCE[id] ?? { rtol: 1e-5, atol: 0 });
    }
    if (order) expect(order).toEqual(scores['sleb-order']);
  });

  it('knows the loss and the means that scores are made of', async () => {
    await scoring(name, async ({ lossWithout, activations }) => {
      expect(await lossWithout([])).toBeCloseTo(scores.loss, 5);
      const { attended, activated } = await activations();
      const means = [...attended, ...activated].flatMap(({ mean }) => [...mean]);
      expectClose(means, flat([scores.mean.attended, scores.mean.activated]), { rtol: 1e-5, atol: 1e-6 });
    });
  });
});

describe('sums over units', () => {
  it('count every weight once in its layer and in each unit that it goes with', () => {
    const config = { ...TINY, attentionBias: true, numKeyValueHeads: 1 };
    const { numHiddenLayers: L, hiddenSize: d, intermediateSize: I, headDim, numAttentionHeads: H } = config;
    const ones = sumOverUnits(config, () => 1);
    const qkvRows = (H + 2) * headDim;
    expect([...ones.head]).toEqual(Array(L).fill(qkvRows * (d + 1) + d * H * headDim));
    expect([...ones.intermediate]).toEqual(Array(L * I).fill(3 * d));
    const perLayer = qkvRows + H * headDim + 3 * I + 2 + 1;
    expect([...ones.hidden]).toEqual(Array(d).fill(2 * config.vocabSize + L * perLayer + 1));
    expect([...ones.layer]).toEqual(Array(L).fill(qkvRows * (d + 1) + d * (H * headDim + 3 * I + 3)));
  });
});

describe('masks of scores', () => {
  const layout = gateLayout(TINY);
  const zero = (set: GateSet) => new Float64Array(layout[set].rows * layout[set].length);
  const widths = (): Scores => ({
    values: { hidden: zero('hidden'), head: zero('head'), intermediate: zero('intermediate') },
  });
  const sets = { hidden: true, head: true, intermediate: true, layer: true };
  const target = { numHiddenLayers: 1, hiddenSize: 20, numAttentionHeads: 2, intermediateSize: 39 };
  const keptOf = (mask: Float32Array, set: GateSet, row = 0) => {
    const { offset, length } = layout[set];
    return Array.from({ length }, (_, i) => i).filter((i) => mask[offset + row * length + i] === 1);
  };

  it('keep exactly the target, the largest scores, and of equal ones the earlier', () => {
    const scores = widths();
    scores.values.head!.set([3, 1, 2, 1, 2, 3]);
    const layers: Scores = { values: { layer: Float64Array.of(1, 2) } };
    const mask = maskOfScores(
      TINY,
      { layers, widths: scores },
      { target, sets, pins: [], protectEnds: false },
    );
    expect(keptOf(mask, 'layer')).toEqual([1]);
    expect([keptOf(mask, 'head', 0), keptOf(mask, 'head', 1)]).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(keptOf(mask, 'hidden')).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(cutModel(TINY, randomParameters(TINY), mask).config).toMatchObject(target);
  });

  it('let pins decide before scores', () => {
    const layers: Scores = { values: { layer: Float64Array.of(1, 2) } };
    const pins = ['l0!', 'a0.0-', 'm1.39!', 'd3-'];
    const mask = maskOfScores(TINY, { layers, widths: widths() }, { target, sets, pins, protectEnds: true });
    expect(keptOf(mask, 'layer')).toEqual([0]);
    expect(keptOf(mask, 'head', 0)).toEqual([1, 2]);
    expect(keptOf(mask, 'intermediate', 1)).toEqual([...Array(38).keys(), 39]);
    expect(keptOf(mask, 'hidden')).toEqual([0, 1, 2, ...Array.from({ length: 17 }, (_, i) => i + 4)]);
  });

  it('leave a set whole that is not cut', () => {
    const layers: Scores = { values: { layer: Float64Array.of(1, 2) } };
    const options = { target, sets: { ...sets, layer: false, hidden: false }, pins: [], protectEnds: false };
    const mask = maskOfScores(TINY, { layers, widths: widths() }, options);
    expect([keptOf(mask, 'layer').length, keptOf(mask, 'hidden').length]).toEqual([2, 24]);
  });

  it('give log α a start by rank, what they would close below 2 and the rest above', () => {
    const config = { ...TINY, numHiddenLayers: 2, numAttentionHeads: 4, numKeyValueHeads: 4, headDim: 6 };
    const four = gateLayout(config);
    const scores = widths();
    // In the second layer the third head goes first, then the first, the fourth and the second.
    scores.values.head = Float64Array.of(1, 2, 3, 4, 0.5, 9, 0.1, 0.7);
    const layers: Scores = { values: { layer: Float64Array.of(1, 2) } };
    const options = { target: { ...target, numAttentionHeads: 3 }, sets, pins: [], protectEnds: false };
    const start = (changes: object) =>
      warmLogAlpha(config, { layers, widths: scores }, { ...options, ...changes }, 3);
    const heads = (values: Float32Array, row: number) =>
      [...values.subarray(four.head.offset + 4 * row, four.head.offset + 4 * row + 4)].map(
        (value) => Math.round(1e4 * value) / 1e4,
      );
    // One of four is to close: x = −1/8, 1/8, 3/8, 5/8, so 2 + 2.4·tanh(−½), tanh(½), tanh(3/2), tanh(5/2).
    const [doomed, first, second, third] = [0.8909, 3.1091, 4.1724, 4.3679];
    expect(heads(start({}), 0)).toEqual([doomed, first, second, third]);
    expect(heads(start({}), 1)).toEqual([first, third, doomed, second]);
    // Pinned ones come first and last, whatever their scores.
    expect(heads(start({ pins: ['a1.1-', 'a1.2!'] }), 1)).toEqual([first, doomed, third, second]);
    // Three of four: x = −5/8, −3/8, −1/8, 1/8.
    const few = { ...options.target, numAttentionHeads: 1 };
    expect(heads(start({ target: few }), 0)).toEqual([-0.3679, -0.1724, doomed, first]);
    const off = start({ sets: { ...sets, head: false } });
    expect(heads(off, 0)).toEqual([3, 3, 3, 3]);
    for (const value of start({})) expect(value > -0.4 && value < 4.4).toBe(true);
    // With a mask taken at the target, what starts lowest is what the scores' own mask closes.
    const mask = maskOfScores(config, { layers, widths: scores }, options);
    start({}).forEach((value, i) => expect(value > 2).toBe(mask[i] === 1));
  });

  it('protect four first and two last layers of 32, and scale with the depth', () => {
    expect(protectedLayers(32)).toEqual([0, 1, 2, 3, 30, 31]);
    expect(protectedLayers(6)).toEqual([0, 5]);
    expect(protectedLayers(1)).toEqual([0]);
    const layer = Float64Array.from([1, 2, 3, 4, 6, 5]);
    expect(removalOrder({ values: { layer } }, false)).toEqual([0, 1, 2, 3, 5, 4]);
    expect(removalOrder({ values: { layer } }, true)).toEqual([1, 2, 3, 4, 0, 5]);
    // SLEB's order is not that of its scores.
    expect(removalOrder({ values: { layer }, order: [5, 4, 3, 2, 1, 0] }, true)).toEqual([4, 3, 2, 1, 5, 0]);
  });

  it('follow the published removals of Shortened LLaMA', () => {
    // LLaMA-1-7B, perplexity: full order, and what "+" removes of it at 20 %.
    const order = [
      24, 26, 25, 10, 27, 13, 22, 14, 9, 29, 12, 15, 8, 21, 7, 28, 6, 16, 18, 23, 5, 20, 11, 19, 17, 3, 4, 30,
      1, 31, 2, 0,
    ];
    const taylor = [
      0, 27, 24, 26, 25, 29, 28, 23, 22, 21, 30, 20, 19, 18, 17, 15, 14, 13, 16, 31, 1, 12, 11, 10, 9, 8, 7,
      6, 5, 3, 2, 4,
    ];
    const values = { layer: new Float64Array(32) };
    expect(removalOrder({ values, order }, true).slice(0, 6)).toEqual([24, 26, 25, 10, 27, 13]);
    expect(removalOrder({ values, order: taylor }, true).slice(0, 6)).toEqual([27, 24, 26, 25, 29, 28]);
    // At 80 % the protected layers are all that is left.
    expect(
      removalOrder({ values, order }, true)
        .slice(26)
        .sort((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 30, 31]);
  });
});

describe('calibration batches', () => {
  it('hold every sequence once, lengths apart, no padding', () => {
    const sequences = [3, 5, 3, 3, 5].map((length, i) => new Uint32Array(length).fill(i));
    const batches = calibrationBatches(sequences);
    expect(batches.map(({ shape }) => shape)).toEqual([
      { batch: 3, context: 3 },
      { batch: 2, context: 5 },
    ]);
    expect(batches.flatMap(({ tokens }) => [...tokens])).toEqual([
      0, 0, 0, 2, 2, 2, 3, 3, 3, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4,
    ]);
    expect(calibrationBatches(Array.from({ length: 17 }, () => new Uint32Array(8))).length).toBe(17);
  });
});

it('activations that do not fit give back what was held for them', async () => {
  const gpu = await testGpu();
  const before = gpu.heldBytes();
  const view = uploadModel(gpu, 'model', { config: TINY, parameters: randomParameters(TINY) });
  const held = gpu.heldBytes();
  // The moments of one long window are few, its activations more than a binding takes.
  const rows = Math.ceil(gpu.device.limits.maxStorageBufferBindingSize / (4 * TINY.hiddenSize)) + 64;
  const batch = { tokens: new Uint32Array(0), shape: { batch: 1, context: rows } };
  await expect(activationStatistics(gpu, view, [batch], () => undefined)).rejects.toThrow();
  expect(gpu.heldBytes()).toBe(held);
  view.destroy();
  expect(gpu.heldBytes()).toBe(before);
});
