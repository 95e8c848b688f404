import type { LlamaConfig } from './config';

/** Longest context of generation: every position takes memory, in each layer's cache and for a prompt's activations. */
const LONGEST = 512;

/**
 * Positions that a decoder needs to continue a prompt: no more than the BOS token, the prompt and what is to be
 * written.
 */
export function generationContext(
  { maxPositionEmbeddings, bosTokenId }: Pick<LlamaConfig, 'maxPositionEmbeddings' | 'bosTokenId'>,
  promptTokens: number,
  maxTokens: number,
): number {
  const needed = (bosTokenId === null ? 0 : 1) + promptTokens + maxTokens;
  return Math.min(LONGEST, maxPositionEmbeddings, needed);
}
