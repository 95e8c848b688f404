import { describe, expect, it } from 'vitest';
import { parameterLayout, unpackParameters } from '../llama/parameters';
import { TINY } from '../llama/testing';
import { initialParameters } from './initialise';

const config = {
  ...TINY,
  vocabSize: 256,
  hiddenSize: 48,
  numHiddenLayers: 3,
  numAttentionHeads: 4,
  numKeyValueHeads: 4,
  headDim: 16,
  intermediateSize: 96,
  tieWordEmbeddings: false,
  attentionBias: true,
  mlpBias: true,
};

const tensorsOf = (seed: number, changes = {}) => {
  const changed = { ...config, ...changes };
  return unpackParameters(parameterLayout(changed), initialParameters(changed, seed));
};

function moments(values: Float32Array) {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  const kurtosis = values.reduce((sum, v) => sum + (v - mean) ** 4, 0) / values.length / variance ** 2;
  return { mean, deviation: Math.sqrt(variance), kurtosis };
}

describe('initial weights', () => {
  it('are normal, with the deviations that scripts/pretrain/model.py draws with', () => {
    const tensors = tensorsOf(17);
    const wanted = {
      'model.embed_tokens.weight': 0.5,
      'lm_head.weight': 0.02,
      'model.layers.1.self_attn.q_proj.weight': 1 / Math.sqrt(48),
      'model.layers.1.self_attn.o_proj.weight': 1 / Math.sqrt(64 * 6),
      'model.layers.2.mlp.up_proj.weight': 1 / Math.sqrt(48),
      'model.layers.2.mlp.down_proj.weight': 1 / Math.sqrt(96 * 6),
    };
    for (const [name, expected] of Object.entries(wanted)) {
      const values = tensors.get(name)!;
      const { mean, deviation, kurtosis } = moments(values);
      // Five standard errors of a normal sample's mean, deviation and kurtosis (3 for a normal, 1.8 for a uniform).
      const n = values.length;
      expect(Math.abs(mean), name).toBeLessThan((5 * expected) / Math.sqrt(n));
      expect(Math.abs(deviation - expected), name).toBeLessThan((5 * expected) / Math.sqrt(2 * n));
      expect(Math.abs(kurtosis - 3), name).toBeLessThan(5 * Math.sqrt(24 / n));
    }
  });

  it('starts tied embeddings as a head, norms at 1 and biases at 0', () => {
    const tensors = tensorsOf(17, { tieWordEmbeddings: true });
    expect(moments(tensors.get('model.embed_tokens.weight')!).deviation).toBeLessThan(0.021);
    for (const [name, values] of tensors) {
      const first = new Set(values);
      if (name.endsWith('norm.weight')) expect([...first], name).toEqual([1]);
      if (name.endsWith('.bias')) expect([...first], name).toEqual([0]);
    }
  });

  it('depend on the seed alone', () => {
    expect(tensorsOf(17)).toEqual(tensorsOf(17));
    expect(tensorsOf(18)).not.toEqual(tensorsOf(17));
  });
});
