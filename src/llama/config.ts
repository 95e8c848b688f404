import type { RopeScaling } from '../kernels/rope';

/** The shape of a LLaMA: Hugging Face's config.json in camelCase. */
export interface LlamaConfig {
  vocabSize: number;
  hiddenSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  headDim: number;
  intermediateSize: number;
  maxPositionEmbeddings: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: RopeScaling;
  tieWordEmbeddings: boolean;
  /** Biases of q, k, v and o. */
  attentionBias: boolean;
  /** Biases of gate, up and down. */
  mlpBias: boolean;
  bosTokenId: number | null;
  eosTokenId: number | null;
}

/** Largest head_dim that the attention kernel computes (src/kernels/attention.ts holds to the same). */
export const MAX_HEAD_DIM = 128;

/** The four dimensions that pruning changes: what the sliders say and what surgery cuts to. */
export interface TargetShape {
  numHiddenLayers: number;
  hiddenSize: number;
  numAttentionHeads: number;
  intermediateSize: number;
}

/** Query heads that share one key/value head; one gate covers the group. */
export function queryHeadsPerGroup(
  config: Pick<LlamaConfig, 'numAttentionHeads' | 'numKeyValueHeads'>,
): number {
  return config.numAttentionHeads / config.numKeyValueHeads;
}

export function shapeOf(config: LlamaConfig): TargetShape {
  const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } = config;
  return { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize };
}

/** The configuration of `source` cut to `target`; head_dim never changes, groups stay whole. */
export function prunedConfig(source: LlamaConfig, target: TargetShape): LlamaConfig {
  return {
    ...source,
    ...target,
    numKeyValueHeads: target.numAttentionHeads / queryHeadsPerGroup(source),
  };
}
