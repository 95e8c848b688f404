import { expect, test } from 'vitest';
import { PROJECTIONS } from '../llama/adapters';
import { adapterSteps } from '.';
import { loraOptions } from './lora';

test('adapters of attention and MLP are all there are', () => {
  const settings = { rank: 8, alpha: 16, dropout: 0, share: 0.5 };
  const projections = (attention: boolean, mlp: boolean) =>
    loraOptions({ ...settings, attention, mlp }, 17).projections;
  expect(projections(true, true)).toEqual(PROJECTIONS);
  expect([...projections(true, false), ...projections(false, true)]).toEqual(PROJECTIONS);
  expect(projections(false, false)).toEqual([]);
  expect(loraOptions({ ...settings, attention: true, mlp: false }, 17)).toMatchObject({
    rank: 8,
    alpha: 16,
    dropout: 0,
    seed: 17,
  });
});

test('adapters train in all steps, in the last ones, or in none', () => {
  const settings = { rank: 8, alpha: 16, dropout: 0, attention: true, mlp: true, share: 0.25 };
  const steps = (['lora', 'continued-lora', 'continued', 'none'] as const).map((id) =>
    adapterSteps(id, 30, settings),
  );
  expect(steps).toEqual([30, 8, 0, 0]);
});
