import { randomValues } from '../../kernels/testing';
import type { LlamaConfig } from '../../llama/config';
import { parameterLayout, type FlatModel } from '../../llama/parameters';
import { randomParameters, TINY } from '../../llama/testing';
import { symmetricEigen } from './eigen';

/** The two kinds of models that a turn must not change: plain, and grouped queries with a tied head and biases. */
export const MODELS: Readonly<Record<string, LlamaConfig>> = {
  'plain, untied': TINY,
  'grouped, tied, with biases': {
    ...TINY,
    hiddenSize: 22,
    numAttentionHeads: 6,
    numKeyValueHeads: 3,
    headDim: 4,
    tieWordEmbeddings: true,
    attentionBias: true,
    mlpBias: true,
  },
};

/** Random weights with norm weights between 0.4 and 1.6, so that a norm that is not folded shows. */
export function unevenModel(config: LlamaConfig): FlatModel {
  const parameters = randomParameters(config);
  const { norms } = parameterLayout(config);
  parameters.set(
    randomValues(norms.elements, 9, 0.6).map((v) => 1 + v),
    norms.offset,
  );
  return { config, parameters };
}

/** Some orthogonal matrix [d, d], by which every dimension becomes a mixture of all. */
export function someAxes(d: number): Float64Array {
  const entries = randomValues(d * d, 8);
  return symmetricEigen(
    entries.map((v, i) => v + entries[(i % d) * d + Math.floor(i / d)]!),
    d,
  ).vectors;
}

export function someTokens(count: number, vocabulary: number, seed = 5): Uint32Array {
  return Uint32Array.from(randomValues(count, seed), (v) => Math.floor(((v + 1) / 2) * vocabulary));
}

export function largestMagnitude(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}
