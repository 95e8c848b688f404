import { randomValues } from '../kernels/testing';
import type { LlamaConfig } from './config';
import { parameterLayout } from './parameters';

/** A LLaMA that a test can afford: odd sizes, untied, no bias; tests change what they are about. */
export const TINY: LlamaConfig = {
  vocabSize: 61,
  hiddenSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  numKeyValueHeads: 3,
  headDim: 8,
  intermediateSize: 40,
  maxPositionEmbeddings: 32,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { type: 'default' },
  tieWordEmbeddings: false,
  attentionBias: false,
  mlpBias: false,
  bosTokenId: 0,
  eosTokenId: 0,
};

/** Random weights of ordinary size, norms at one. */
export function randomParameters(config: LlamaConfig, scale = 0.2): Float32Array {
  const { total, norms } = parameterLayout(config);
  return Float32Array.from(randomValues(total, 3, scale)).fill(
    1,
    norms.offset,
    norms.offset + norms.elements,
  );
}

/** Weights that are all finite, whose MLP of the last layer overflows float32: every logit becomes NaN. */
export function overflowingParameters(config: LlamaConfig): Float32Array {
  const parameters = randomParameters(config);
  const { offset, elements } = parameterLayout(config).layers.at(-1)!.gateUp;
  // Rows of both signs: SiLU makes one of them large whatever the input.
  const row = config.hiddenSize;
  for (let i = 0; i < elements; i++) parameters[offset + i] = Math.floor(i / row) % 2 ? -1e24 : 1e24;
  return parameters;
}
