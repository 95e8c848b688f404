import { describe, expect, it } from 'vitest';
import { llamaConfigJson, parseLlamaConfig } from './llama-config';
import { MAX_HEAD_DIM } from '../llama/config';
import { InputError } from './refusal';
import { smallConfig } from './testing';

const minimal = {
  model_type: 'llama',
  vocab_size: 100,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 96,
};

describe('config.json', () => {
  it('lets in the head sizes that attention computes', () => {
    const largest = { ...minimal, head_dim: MAX_HEAD_DIM };
    expect(parseLlamaConfig(largest).headDim).toBe(MAX_HEAD_DIM);
  });

  it('takes the defaults of transformers', () => {
    expect(parseLlamaConfig(minimal)).toEqual({
      vocabSize: 100,
      hiddenSize: 64,
      numHiddenLayers: 2,
      numAttentionHeads: 4,
      numKeyValueHeads: 4,
      headDim: 16,
      intermediateSize: 96,
      maxPositionEmbeddings: 2048,
      rmsNormEps: 1e-6,
      ropeTheta: 10_000,
      ropeScaling: { type: 'default' },
      tieWordEmbeddings: false,
      attentionBias: false,
      mlpBias: false,
      bosTokenId: 1,
      eosTokenId: 2,
    });
  });

  it('reads a file of the shape of Llama 3.2 1B', () => {
    const config = parseLlamaConfig({
      architectures: ['LlamaForCausalLM'],
      attention_bias: false,
      attention_dropout: 0.0,
      bos_token_id: 128000,
      eos_token_id: [128001, 128008, 128009],
      head_dim: 64,
      hidden_act: 'silu',
      hidden_size: 2048,
      initializer_range: 0.02,
      intermediate_size: 8192,
      max_position_embeddings: 131072,
      mlp_bias: false,
      model_type: 'llama',
      num_attention_heads: 32,
      num_hidden_layers: 16,
      num_key_value_heads: 8,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      rope_scaling: {
        factor: 32.0,
        high_freq_factor: 4.0,
        low_freq_factor: 1.0,
        original_max_position_embeddings: 8192,
        rope_type: 'llama3',
      },
      rope_theta: 500000.0,
      tie_word_embeddings: true,
      vocab_size: 128256,
    });
    expect(config).toMatchObject({
      numKeyValueHeads: 8,
      headDim: 64,
      eosTokenId: 128001,
      ropeTheta: 500_000,
      tieWordEmbeddings: true,
      ropeScaling: {
        type: 'llama3',
        factor: 32,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositionEmbeddings: 8192,
      },
    });
  });

  it('reads RoPE from rope_parameters, as newer files give it', () => {
    const rope_parameters = { rope_type: 'linear', factor: 4, rope_theta: 20_000 };
    expect(parseLlamaConfig({ ...minimal, rope_parameters })).toMatchObject({
      ropeTheta: 20_000,
      ropeScaling: { type: 'linear', factor: 4 },
    });
    expect(parseLlamaConfig({ ...minimal, rope_scaling: { type: 'linear', factor: 2 } }).ropeScaling).toEqual(
      {
        type: 'linear',
        factor: 2,
      },
    );
  });

  it('reads what it writes', () => {
    const configs = [
      smallConfig(),
      smallConfig({ tieWordEmbeddings: true, attentionBias: true, bosTokenId: null, ropeTheta: 5e5 }),
      smallConfig({ mlpBias: true }),
      smallConfig({ ropeScaling: { type: 'linear', factor: 8 } }),
      smallConfig({
        ropeScaling: {
          type: 'llama3',
          factor: 32,
          lowFreqFactor: 1,
          highFreqFactor: 4,
          originalMaxPositionEmbeddings: 32,
        },
      }),
    ];
    for (const config of configs) {
      expect(parseLlamaConfig(JSON.parse(JSON.stringify(llamaConfigJson(config))))).toEqual(config);
    }
  });

  it.each<[object, string]>([
    [
      { num_attention_heads: 7 },
      'config.json: num_attention_heads (7) must divide hidden_size (64), or head_dim must be given',
    ],
    [{ num_key_value_heads: 3 }, 'config.json: num_key_value_heads (3) must divide num_attention_heads (4)'],
    [{ model_type: 'mistral' }, 'config.json: model_type must be "llama", not "mistral"'],
    [
      { architectures: ['GPT2LMHeadModel'] },
      'config.json: architectures must include LlamaForCausalLM, but it has "GPT2LMHeadModel"',
    ],
    [{ model_type: undefined }, 'config.json: model_type is missing; it must be "llama"'],
    [{ hidden_act: 'gelu' }, 'config.json: hidden_act must be "silu", not "gelu"'],
    [{ mlp_bias: 'yes' }, 'config.json: mlp_bias must be true or false, but it is "yes"'],
    [
      { hidden_size: undefined },
      'config.json: hidden_size must be a whole number from 1 to 65536, but it is missing',
    ],
    [
      { hidden_size: '64' },
      'config.json: hidden_size must be a whole number from 1 to 65536, but it is "64"',
    ],
    [
      { hidden_size: 64.5 },
      'config.json: hidden_size must be a whole number from 1 to 65536, but it is 64.5',
    ],
    [
      { vocab_size: 1e308 },
      'config.json: vocab_size must be a whole number from 1 to 1048576, but it is 1e+308',
    ],
    [
      { num_hidden_layers: 0 },
      'config.json: num_hidden_layers must be a whole number from 1 to 256, but it is 0',
    ],
    [{ head_dim: 130 }, 'config.json: head_dim must be a whole number from 1 to 128, but it is 130'],
    [
      { hidden_size: 512, num_attention_heads: 2 },
      "config.json: hidden_size / num_attention_heads (256) must be at most 128, the largest head_dim of the lab's attention",
    ],
    [{ head_dim: 5 }, 'config.json: head_dim (5) must be even, because RoPE turns pairs'],
    [{ eos_token_id: 100 }, 'config.json: eos_token_id (100) must be below vocab_size (100)'],
    [{ eos_token_id: 'x' }, 'config.json: eos_token_id must be a token id, a list of token ids or null'],
    [
      { rope_scaling: { type: 'yarn', factor: 2 } },
      'config.json: rope_scaling.rope_type "yarn" is not supported; it must be default, linear or llama3',
    ],
    [
      { rope_scaling: { rope_type: 'llama3', low_freq_factor: 1, high_freq_factor: 4 } },
      'config.json: rope_scaling.original_max_position_embeddings is missing; RoPE of type llama3 needs it',
    ],
    [
      { rope_parameters: { rope_type: 'linear' } },
      'config.json: rope_parameters.factor is missing; RoPE of type linear needs it',
    ],
    [
      { quantization_config: { bits: 4 } },
      'config.json: quantization_config is set, but the lab reads F32, F16 and BF16 weights only',
    ],
  ])('refuses %j', (change, message) => {
    expect(() => parseLlamaConfig({ ...minimal, ...change })).toThrow(new InputError(message));
  });

  it('refuses what is no object', () => {
    for (const json of [null, 7, 'x', [], undefined]) {
      expect(() => parseLlamaConfig(json)).toThrow(/^config\.json: it must be an object/);
    }
  });
});
