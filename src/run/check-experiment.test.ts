import { describe, expect, it } from 'vitest';
import { plainExperiment } from '../experiment/testing';
import { shapeOf } from '../llama/config';
import { checkExperiment } from './check-experiment';
import { toySource } from './testing';

const { config } = toySource();
const experimentOf = (changes: object) =>
  plainExperiment({ target: shapeOf(config), contextLength: 8, ...changes });

it('refuses weights that would have no effect', () => {
  const weights = [1, 0, 0];
  checkExperiment(experimentOf({ mixture: { mode: 'manual', weights } }), config);
  checkExperiment(experimentOf({ mixture: { mode: 'dynamic', weights } }), config);
  checkExperiment(experimentOf({ mixture: { mode: 'constant' } }), config);
  expect(() => checkExperiment(experimentOf({ mixture: { mode: 'constant', weights } }), config)).toThrow(
    /\(mixture\.weights\) have no effect .* \(mixture\.mode\).* choose the mode "manual"/,
  );
});

it('refuses calibration that the source cannot read, where a run looks at it', () => {
  const of = (length: number, method = 'one-shot') => experimentOf({ method, calibration: { length } });
  checkExperiment(of(0), config);
  checkExperiment(of(64, 'sheared'), config);
  expect(() => checkExperiment(of(64), config)).toThrow(/\(calibration\.length\) is 64, more than/);
  expect(() => checkExperiment(of(1), config)).toThrow(/leaves nothing to predict/);
});

it('refuses more context than the source has positions', () => {
  expect(() => checkExperiment(experimentOf({ contextLength: 64 }), config)).toThrow(/contextLength/);
});

it('refuses a sparsity that learnt gates cannot reach, and says what helps', () => {
  const wide = { ...config, intermediateSize: 200 };
  // 1 − 4/200 = .98, beyond the .953 of gates at the clamp.
  const few = { ...shapeOf(wide), intermediateSize: 4 };
  expect(() => checkExperiment(experimentOf({ target: few }), wide)).toThrow(
    'MLP width (target.intermediateSize) asks for a sparsity of 0.980, but learnt gates are clamped and come to 0.953 at most: keep more, or switch the reachable target (prune.reachable) on.',
  );
  checkExperiment(experimentOf({ target: few, prune: { reachable: true } }), wide);
  checkExperiment(experimentOf({ target: few, method: 'one-shot' }), wide);
  checkExperiment(experimentOf({ target: { ...few, intermediateSize: 10 } }), wide);
  // Half of the heads: a temperature of 2 leaves gates at the clamp 100/221 closed.
  const half = { ...shapeOf(config), numAttentionHeads: 2 };
  checkExperiment(experimentOf({ target: half }), config);
  expect(() => checkExperiment(experimentOf({ target: half, prune: { temperature: 2 } }), config)).toThrow(
    /Attention heads .* 0\.500, .* 0\.452 at most/,
  );
});

describe('a race', () => {
  const raced = (race: object, changes: object = {}) =>
    experimentOf({
      method: 'one-shot',
      target: { ...shapeOf(config), numHiddenLayers: 2 },
      retrain: { steps: 20 },
      race: { candidates: 3, steps: 10, ...race },
      ...changes,
    });
  const check = (...given: Parameters<typeof raced>) => {
    checkExperiment(raced(...given), config);
  };

  it('is possible where candidates differ and are retrained', () => {
    check({});
    check({ steps: 30 }, { scores: { steps: 10 } });
    // Without candidates nothing is asked of it.
    check({ candidates: 1, steps: 30 }, { method: 'sheared', retraining: 'none' });
  });

  it.each([
    [{}, { method: 'sheared' }, /^Candidates \(race\.candidates\) is 3, .* \(method\)/],
    [{}, { retraining: 'none' }, /^Candidates \(race\.candidates\) is 3, .* \(retraining\)/],
    [{}, { target: shapeOf(config) }, /^Candidates \(race\.candidates\) is 3, .* one mask/],
    [{ rounds: 11 }, {}, /^Race rounds \(race\.rounds\) is 11, more than the 10 .*\(race\.steps\)/],
    [{ steps: 21 }, {}, /^Race steps \(race\.steps\) is 21, more than the 20 steps/],
  ])('is refused in one sentence: %j %j', (race, changes, message) => {
    expect(() => check(race, changes)).toThrow(message);
  });
});

it('refuses adapters of more rank than their projections have', () => {
  const of = (rank: number, changes: object = {}) => {
    checkExperiment(experimentOf({ retraining: 'lora', lora: { rank, ...changes } }), config);
  };
  of(16);
  of(16, { mlp: false });
  expect(() => of(17)).toThrow(/Rank \(lora\.rank\) is 17, more than the 16 rows/);
});
