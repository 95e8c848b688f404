import { expect, it } from 'vitest';
import { generationContext } from './generation-context';

it('works on no more positions than prompt, BOS and new tokens need, nor than the model or a lab allows', () => {
  const config = { maxPositionEmbeddings: 2048, bosTokenId: 0 };
  expect(generationContext(config, 7, 12)).toBe(20);
  expect(generationContext({ ...config, bosTokenId: null }, 7, 12)).toBe(19);
  expect(generationContext({ ...config, maxPositionEmbeddings: 16 }, 7, 12)).toBe(16);
  expect(generationContext(config, 7, 4000)).toBe(512);
});
