import { expect, test } from 'vitest';
import { PROJECTIONS } from '../llama/adapters';
import { lora, loraOptions } from './lora';

test('adapters of attention and MLP are all there are', () => {
  const { rank, alpha, dropout } = lora.fields;
  const settings = { rank: rank.default, alpha: alpha.default, dropout: dropout.default };
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
