import { describe, expect, it } from 'vitest';
import { smallConfig } from '../../formats/testing';
import { gateLayout, type GateSet } from '../../llama/gates';
import { uniform } from '../../data/random';
import { keptUnits } from '../masks';
import type { ScoreMaskOptions } from '../scores/mask';
import { candidatePool, maskOfChoice, type ScoresBy } from './pool';

const config = smallConfig({
  numHiddenLayers: 6,
  hiddenSize: 8,
  numAttentionHeads: 4,
  numKeyValueHeads: 4,
  intermediateSize: 8,
});
const layout = gateLayout(config);
const options: ScoreMaskOptions = {
  target: { numHiddenLayers: 4, hiddenSize: 6, numAttentionHeads: 3, intermediateSize: 5 },
  sets: { layer: true, hidden: true, head: true, intermediate: true },
  pins: [],
  protectEnds: false,
};
const own = { layers: 'block-influence', widths: 'minitron' } as const;

/** Layer scores given by hand, where they are; all others by chance. Keeps what was asked for. */
function scoresBy(layers: Record<string, number[]>) {
  const asked: string[] = [];
  const drawn = (id: string, set: GateSet) =>
    Float64Array.from({ length: layout[set].rows * layout[set].length }, (_, i) =>
      uniform(i, layout[set].offset, ...[...id].map((letter) => letter.charCodeAt(0))),
    );
  const by: ScoresBy = {
    layers(id) {
      asked.push(id);
      return Promise.resolve({
        values: { layer: layers[id] ? Float64Array.from(layers[id]) : drawn(id, 'layer') },
      });
    },
    widths(id) {
      asked.push(id);
      const sets = ['hidden', 'head', 'intermediate'] as const;
      return Promise.resolve({ values: Object.fromEntries(sets.map((set) => [set, drawn(id, set)])) });
    },
  };
  return { by, asked };
}
/** Block Influence takes layers 2 and 3 (counted from 1); 4 is its nearest of those that stay. SLEB agrees. */
const LAYERS = {
  'block-influence': [9, 1, 2, 4, 7, 8],
  sleb: [9, 1, 1, 4, 7, 8],
  perplexity: [9, 8, 7, 6, 1, 2],
  taylor: [1, 2, 9, 8, 7, 6],
  magnitude: [9, 8, 7, 1, 2, 6],
};
const pool = (count: number, changes: Partial<ScoreMaskOptions> = {}) =>
  candidatePool(config, own, scoresBy(LAYERS).by, { ...options, ...changes }, count);
const labels = async (...given: Parameters<typeof pool>) => (await pool(...given)).map(({ label }) => label);

describe('the pool of a race', () => {
  it('has the own choice, other scores, then swaps from the nearest on, each mask once', async () => {
    // SLEB gives the same mask as Block Influence.
    const expected = [
      'Block Influence · Activations (Minitron)',
      'Perplexity without the layer · Activations (Minitron)',
      'Taylor (in width: LLM-Pruner) · Activations (Minitron)',
      'Magnitude · Activations (Minitron)',
      'Block Influence · Wanda-sp',
      'Block Influence · FLAP: fluctuation, with bias compensation',
      'Block Influence · Taylor (in width: LLM-Pruner)',
      'Block Influence · Magnitude',
      // Costs 4 − 2, 4 − 1, 7 − 2.
      'Block Influence, layer 3 for 4 · Activations (Minitron)',
      'Block Influence, layer 2 for 4 · Activations (Minitron)',
      'Block Influence, layer 3 for 5 · Activations (Minitron)',
    ];
    expect(await labels(11)).toEqual(expected);
    expect((await pool(10))[8]!.keptLayers).toEqual([0, 2, 4, 5]);
  });

  it('is the same each time, without duplicates, and every candidate reaches the target', async () => {
    const candidates = await pool(64);
    expect(candidates).toHaveLength(64);
    expect(await pool(64)).toEqual(candidates);
    const kept = candidates.map(({ mask }) => keptUnits(config, mask));
    expect(new Set(kept.map((one) => JSON.stringify(one))).size).toBe(64);
    for (const { hidden, layers, heads, intermediate } of kept) {
      expect([hidden.length, layers.length]).toEqual([6, 4]);
      for (const l of layers) expect([heads[l]!.length, intermediate[l]!.length]).toEqual([3, 5]);
    }
    // All 15 choices of 4 of 6 layers come up.
    expect(new Set(kept.map(({ layers }) => layers.join())).size).toBe(15);
    for (const { label } of candidates) expect(label).not.toMatch(/Random|By hand/);
  });

  it('exchanges two layers for two after all single ones', async () => {
    const gates = { target: { ...options.target, hiddenSize: 8, numAttentionHeads: 4, intermediateSize: 8 } };
    const found = await labels(64, gates);
    // No width is cut: 15 sets of layers, and nothing else.
    expect(found).toHaveLength(15);
    const single = found.filter((label) => label.includes(', layer '));
    const double = found.filter((label) => label.includes(', layers '));
    // Of 4 and 5 it would be the mask of magnitude.
    expect(double[0]).toBe('Block Influence, layers 2 and 3 for 4 and 6 · Activations (Minitron)');
    expect(found.indexOf(double[0]!)).toBe(found.indexOf(single.at(-1)!) + 1);
  });

  it('holds to pins and to the ends', async () => {
    const pins = ['l3!', 'l0-', 'a2.1!', 'd7-'];
    for (const { mask } of await pool(40, { pins })) {
      const { layers, heads, hidden } = keptUnits(config, mask);
      expect(layers).toContain(3);
      expect(layers).not.toContain(0);
      if (layers.includes(2)) expect(heads[2]).toContain(1);
      expect(hidden).not.toContain(7);
    }
    for (const { keptLayers } of await pool(40, { protectEnds: true })) {
      expect(keptLayers).toContain(0);
      expect(keptLayers).toContain(5);
    }
  });

  it('takes chance only where it was chosen, and asks for no score in vain', async () => {
    const { by, asked } = scoresBy({});
    const chance = await candidatePool(config, { ...own, layers: 'random' }, by, options, 1);
    expect(chance.map(({ label }) => label)).toEqual(['Random · Activations (Minitron)']);
    expect(new Set(asked)).toEqual(new Set(['random', 'minitron']));
  });

  it('lets the experiment’s pins win over a swap', async () => {
    const { by } = scoresBy(LAYERS);
    const scores = { layers: await by.layers('sleb'), widths: await by.widths('flap') };
    const layersOf = (pins: string[]) =>
      keptUnits(config, maskOfChoice(config, scores, { swaps: ['l2!', 'l3-'] }, { ...options, pins })).layers;
    expect(layersOf([])).toEqual([0, 2, 4, 5]);
    expect(layersOf(['l3!'])).toEqual([0, 2, 3, 5]);
  });
});
