import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../experiment/schema';
import { shapeOf } from '../llama/config';
import { checkExperiment } from './check-experiment';
import { toySource } from './testing';

const { config } = toySource();
const experimentOf = (changes: object) =>
  experimentSchema.parse({ target: shapeOf(config), contextLength: 8, ...changes });

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
