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
