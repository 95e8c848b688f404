import type { Corpus } from '../data/corpus';
import { randomValues } from '../kernels/testing';
import { randomParameters, TINY } from '../llama/testing';
import type { SourceModel } from './run';

/** For tests: a source model that knows nothing and a corpus that it can learn. */

const TOY_CONFIG = {
  ...TINY,
  vocabSize: 32,
  hiddenSize: 16,
  numHiddenLayers: 3,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 4,
  intermediateSize: 24,
};

/** Three languages of different hardness: counting up, counting by three with noise, and noise. */
export function toyCorpus(): Corpus {
  const noise = randomValues(4000, 11);
  const sequence = (next: (i: number) => number) =>
    Uint16Array.from({ length: 2000 }, (_, i) => next(i) % 32);
  const languages = [
    sequence((i) => i),
    sequence((i) => 3 * i + (noise[i]! > 0.6 ? 1 : 0)),
    sequence((i) => Math.floor((noise[i + 2000]! + 1) * 16)),
  ];
  return {
    vocabSize: 32,
    eosTokenId: 0,
    domains: languages.map((text, i) => ({
      name: `language-${i}`,
      title: `Language ${i}`,
      weight: 1 / 3,
      train: text.subarray(0, 1500),
      validation: text.subarray(1500),
    })),
  };
}

export function toySource(): SourceModel {
  return {
    name: 'toy',
    weightsSha256: 'f'.repeat(64),
    config: TOY_CONFIG,
    parameters: randomParameters(TOY_CONFIG),
  };
}
