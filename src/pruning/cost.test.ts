import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallConfig } from '../formats/testing';
import { prunedConfig } from '../llama/config';
import { parameterLayout } from '../llama/parameters';
import {
  blockParameterCount,
  forwardFlopsPerToken,
  parameterCount,
  trainingFlopsPerToken,
  weightBytes,
} from './cost';
import { SHEARED_SHAPES } from './target-shape';

const llama2 = smallConfig({
  ...SHEARED_SHAPES.source,
  vocabSize: 32_000,
  numKeyValueHeads: 32,
  headDim: 128,
});

describe('parameter count', () => {
  it.each([
    ['source', 6_738_415_616],
    ['2.7B', 2_701_560_320],
    ['1.3B', 1_345_423_360],
    ['370M', 373_867_520],
  ] as const)('is exact for %s', (name, count) => {
    expect(parameterCount(prunedConfig(llama2, SHEARED_SHAPES[name]))).toBe(count);
  });

  it('counts 202,383,360 for one block of LLaMA 7B', () => {
    expect(blockParameterCount({ ...llama2, numHiddenLayers: 1 })).toBe(202_383_360);
  });

  it('agrees with the parameter layout for any shape, biases and tie', () => {
    const size = fc.integer({ min: 1, max: 9 });
    const switches = fc.record({
      attentionBias: fc.boolean(),
      mlpBias: fc.boolean(),
      tieWordEmbeddings: fc.boolean(),
    });
    fc.assert(
      fc.property(size, size, size, size, size, switches, (L, d, G, per, I, chosen) => {
        const config = smallConfig({
          numHiddenLayers: L,
          hiddenSize: d,
          numKeyValueHeads: G,
          numAttentionHeads: G * per,
          intermediateSize: I,
          ...chosen,
        });
        expect(parameterCount(config)).toBe(parameterLayout(config).parameterCount);
      }),
    );
  });
});

describe('work and memory', () => {
  it('counts the multiply-adds of a forward pass one by one', () => {
    const config = smallConfig();
    const { hiddenSize: d, headDim, intermediateSize: I, vocabSize } = config;
    const context = 7;
    let operations = 0;
    const product = (rows: number, columns: number) => (operations += 2 * rows * columns);
    for (let t = 0; t < context; t++) {
      for (let layer = 0; layer < config.numHiddenLayers; layer++) {
        product(config.numAttentionHeads * headDim, d);
        product(config.numKeyValueHeads * headDim, d);
        product(config.numKeyValueHeads * headDim, d);
        for (let head = 0; head < config.numAttentionHeads; head++) {
          for (let key = 0; key <= t; key++) operations += 2 * 2 * headDim;
        }
        product(d, config.numAttentionHeads * headDim);
        product(I, d);
        product(I, d);
        product(d, I);
      }
      product(vocabSize, d);
    }
    expect(forwardFlopsPerToken(config, context) * context).toBeCloseTo(operations, 6);
    expect(trainingFlopsPerToken(config, context)).toBe(3 * forwardFlopsPerToken(config, context));
  });

  it('knows LLaMA 2 7B’s weights in f16 and f32', () => {
    expect(weightBytes(llama2, 2)).toBe(2 * 6_738_415_616);
    expect(weightBytes(llama2)).toBe(4 * 6_738_415_616);
  });
});
