import { describe, expect, it } from 'vitest';
import { defaultExperiment, type Experiment } from '../../experiment/schema';
import { plainExperiment } from '../../experiment/testing';
import type { Scores } from '../../pruning/scores/criterion';
import { maskOfOrders, removalOrders } from '../../pruning/scores/mask';
import { exampleConfig } from './example-run';
import { describeImportance, importanceOf, importanceRows } from './importance';
import { setField } from './field-value';
import { initialState, type UnitScores } from './lab-state';
import type { Place } from './pinned-units';
import { describeOrigin, isStale, scoresOf } from './score-origin';

/** Two layers, each with two heads and twelve MLP units, and eight hidden dimensions. */
const scores: Scores = {
  values: {
    hidden: Float64Array.from([8, 7, 6, 5, 4, 3, 2, 1]),
    head: Float64Array.from([0.0421, 0.3, 5, 1]),
    intermediate: Float64Array.from({ length: 24 }, (_, i) => i + 1),
    layer: Float64Array.from([0.5, 0.25]),
  },
};
const target = { numHiddenLayers: 1, hiddenSize: 6, numAttentionHeads: 2, intermediateSize: 4 };
const sets = { hidden: true, head: true, intermediate: true, layer: true };
const orders = removalOrders(exampleConfig, { layers: scores, widths: scores }, false);
const importance = importanceOf(exampleConfig, scores, orders);
const outcome = maskOfOrders(exampleConfig, orders, { target, sets, pins: [] });
const say = (place: Place, of = importance, mask: typeof outcome | null = outcome) =>
  describeImportance(of, mask, place);
const unit = (set: Place['set'], row: number, from: number, to = from): Place => ({ set, row, from, to });

describe('importance', () => {
  it('is shaded by the rank in its row, whatever the distances', () => {
    expect([...importance.shades.hidden]).toEqual([255, 219, 182, 146, 109, 73, 36, 0]);
    expect(importance.shades.heads.map((row) => [...row])).toEqual([
      [0, 255],
      [255, 0],
    ]);
    expect([...importance.shades.layers]).toEqual([255, 0]);
  });

  it('is said with its rank, and with what becomes of the unit', () => {
    expect(say(unit('head', 0, 0))).toBe('Head 1 of layer 1: 0.0421, 2nd of 2; goes');
    expect(say(unit('head', 0, 1))).toBe('Head 2 of layer 1: 0.300, 1st of 2; stays');
    expect(say(unit('head', 1, 0))).toBe('Head 1 of layer 2: 5, 1st of 2; goes with its layer');
    expect(say(unit('layer', 0, 1))).toBe('Layer 2: 0.250, 2nd of 2; goes');
    expect(say(unit('hidden', 0, 2))).toBe('Hidden dimension 3: 6, 3rd of 8; stays');
    expect(say(unit('intermediate', 0, 7, 9))).toBe(
      'MLP units 8–10 of layer 1: 8 to 10, 3rd to 5th of 12; 2 of 3 stay',
    );
    expect(say(unit('intermediate', 1, 0, 1))).toMatch(/11th to 12th of 12; go with their layer$/);
    expect(say(unit('head', 0, 0), importance, null)).toBe('Head 1 of layer 1: 0.0421, 2nd of 2');
    expect(say(unit('head', 0, 0), importanceOf(exampleConfig), null)).toBe('Head 1 of layer 1: not scored');
  });

  it('of a set without scores is not made up', () => {
    const layers: Scores = { values: { layer: scores.values.layer! } };
    const some = removalOrders(exampleConfig, { layers, widths: layers }, false);
    const only = importanceOf(exampleConfig, layers, some);
    expect(say(unit('head', 0, 0), only)).toBe('Head 1 of layer 1: not scored');
    expect(importanceRows(only, null)[1]).toMatchObject({ heads: 'not scored', rank: '1st of 2' });
  });

  it('of layers follows the order in which they go, where that is another', () => {
    const order = removalOrders(
      exampleConfig,
      { layers: { ...scores, order: [0, 1] }, widths: scores },
      false,
    );
    expect(say(unit('layer', 0, 1), importanceOf(exampleConfig, scores, order), null)).toBe(
      'Layer 2: 0.250, 1st of 2',
    );
  });

  it('stands in the table as in the drawing', () => {
    expect(importanceRows(importance, outcome)).toEqual([
      { layer: null, score: '', rank: '6 of 8 stay, 1 to 8', heads: '', units: '' },
      {
        layer: 0,
        score: '0.500',
        rank: '1st of 2; stays',
        heads: '1 of 2 stay, 0.0421 to 0.300',
        units: '4 of 12 stay, 1 to 12',
      },
      { layer: 1, score: '0.250', rank: '2nd of 2; goes', heads: '–', units: '–' },
    ]);
  });
});

describe('where scores come from', () => {
  const experiment = setField(plainExperiment(), 'calibration.sequences', 4);
  const of = (origin: UnitScores['origin']): UnitScores => ({
    source: 'nano',
    weightsSha256: null,
    scores,
    origin,
  });

  it('is said', () => {
    expect(describeOrigin(of({ experiment }))).toBe(
      'Layers: Block Influence. Widths: Activations (Minitron). On 4 × 128 tokens',
    );
    expect(describeOrigin(of({ file: 'mine.csv' }))).toBe('From mine.csv');
  });

  it('tells scores that the settings would not give', () => {
    const stale = (settings: Experiment) => isStale(of({ experiment }), settings);
    expect(stale(experiment)).toBe(false);
    expect(stale(setField(experiment, 'scores.protectEnds', true))).toBe(false);
    expect(stale(setField(experiment, 'scores.widths', 'flap'))).toBe(true);
    expect(stale(defaultExperiment())).toBe(true);
    // A sequence is as long as a training window unless asked otherwise.
    expect(stale(setField(experiment, 'contextLength', 64))).toBe(true);
    expect(stale(setField(experiment, 'calibration.length', 128))).toBe(false);
    expect(isStale(of({ file: 'mine.csv' }), defaultExperiment())).toBe(false);
    // The mixture matters to sequences that are drawn with it, and to no others.
    const start = setField(experiment, 'calibration.mixture', 'start');
    const moved = (from: Experiment) =>
      isStale(of({ experiment: from }), setField(from, 'mixture.weights', [1, 0]));
    expect([moved(experiment), moved(start)]).toEqual([false, true]);
  });

  it('is the model in the drawing, or they are not shown', () => {
    const state = { ...initialState(), unitScores: of({ file: 'mine.csv' }) };
    expect(scoresOf(state, { name: 'nano', config: exampleConfig })).toBe(state.unitScores);
    expect(scoresOf(state, { name: 'nano', weightsSha256: 'ab', config: exampleConfig })).toBeNull();
    expect(scoresOf(state, { name: 'micro', config: exampleConfig })).toBeNull();
  });
});
