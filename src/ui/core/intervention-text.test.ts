import { expect, it } from 'vitest';
import { defaultExperiment } from '../../experiment/schema';
import { describeIntervention, describePlanned } from './intervention-text';

it('says what a change was, from what to what', () => {
  const change = {
    step: 120,
    changes: { 'target.hiddenSize': 40, 'prune.learningRate': 0.001, pins: ['a2.1-'] },
    before: { 'target.hiddenSize': 48, 'prune.learningRate': 0.0015, pins: [] },
  };
  expect(describeIntervention(change)).toBe(
    'Step 120: Hidden size 48 → 40, Pruning learning rate 0.0015 → 0.001, Pins none → a2.1-',
  );
});

it('says of planned changes what holds before each', () => {
  const experiment = { ...defaultExperiment(), clipNorm: 1 };
  const planned = [
    { at: 4, changes: { clipNorm: 2 } },
    { at: 9, changes: { clipNorm: 3 } },
  ];
  expect(describePlanned(experiment, planned)).toEqual([
    'Step 4: Gradient clip 1 → 2',
    'Step 9: Gradient clip 2 → 3',
  ]);
});
