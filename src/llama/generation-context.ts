import type { LlamaConfig } from './config';

/** Longest context of generation: a model of long context is not worked at full length for a few words. */
const LONGEST = 512;

/**
 * Positions that an inference needs to continue a prompt: every token works through all of them, so no more
 * than the BOS token, the prompt and what is to be written.
 */
export function generationContext(
  { maxPositionEmbeddings, bosTokenId }: Pick<LlamaConfig, 'maxPositionEmbeddings' | 'bosTokenId'>,
  promptTokens: number,
  maxTokens: number,
): number {
  const needed = (bosTokenId === null ? 0 : 1) + promptTokens + maxTokens;
  return Math.min(LONGEST, maxPositionEmbeddings, needed);
}
