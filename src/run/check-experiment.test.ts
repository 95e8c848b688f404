import { expect, it } from 'vitest';
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
