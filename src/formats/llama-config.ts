import { z } from 'zod';
import type { RopeScaling } from '../kernels/rope';
import { MAX_HEAD_DIM, type LlamaConfig } from '../llama/config';
import { checked, numberWithin, quoted, refuse, wholeNumber } from './refusal';

const FILE = 'config.json';

/** Sane limits: far above any LLaMA, far below what would overflow a count or hang a page. */
export const LLAMA_LIMITS = {
  vocab_size: 1_048_576,
  hidden_size: 65_536,
  num_hidden_layers: 256,
  num_attention_heads: 1_024,
  head_dim: MAX_HEAD_DIM,
  intermediate_size: 262_144,
  max_position_embeddings: 16_777_216,
} as const;

const count = (max: number) => wholeNumber(1, max);
const ropeTheta = numberWithin(1, 1e12);
const tokenId = z
  .union([z.int().min(0), z.array(z.int().min(0)).max(64), z.null()], {
    error: 'must be a token id, a list of token ids or null',
  })
  .optional();

const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: ropeTheta.optional(),
  factor: numberWithin(1, 1e6).optional(),
  low_freq_factor: numberWithin(1e-3, 1e6).optional(),
  high_freq_factor: numberWithin(1e-3, 1e6).optional(),
  original_max_position_embeddings: count(LLAMA_LIMITS.max_position_embeddings).optional(),
  partial_rotary_factor: z.literal(1).optional(),
});
type RopeFields = z.infer<typeof ropeSchema>;

/** The fields of Hugging Face's config.json that decide what a LLaMA computes; others are ignored. */
const configSchema = z.looseObject({
  model_type: z.literal('llama').optional(),
  architectures: z.array(z.string()).nullish(),
  vocab_size: count(LLAMA_LIMITS.vocab_size),
  hidden_size: count(LLAMA_LIMITS.hidden_size),
  num_hidden_layers: count(LLAMA_LIMITS.num_hidden_layers),
  num_attention_heads: count(LLAMA_LIMITS.num_attention_heads),
  num_key_value_heads: count(LLAMA_LIMITS.num_attention_heads).nullish(),
  head_dim: count(LLAMA_LIMITS.head_dim).nullish(),
  intermediate_size: count(LLAMA_LIMITS.intermediate_size),
  max_position_embeddings: count(LLAMA_LIMITS.max_position_embeddings).default(2048),
  rms_norm_eps: numberWithin(1e-12, 0.1).default(1e-6),
  rope_theta: ropeTheta.nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: z.literal(1).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().nullish(),
  hidden_act: z.literal('silu').default('silu'),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
});

/** `rope_scaling` of older files or `rope_parameters` of newer ones. */
function ropeScalingOf(name: string, rope: RopeFields | null | undefined): RopeScaling {
  const type = rope?.rope_type ?? rope?.type ?? 'default';
  const needed = (field: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number =>
    rope?.[field] ?? refuse(FILE, `${name}.${field} is missing; RoPE of type ${type} needs it`);
  switch (type) {
    case 'default':
      return { type };
    case 'linear':
      return { type, factor: needed('factor') };
    case 'llama3': {
      const original = rope?.original_max_position_embeddings;
      const lowFreqFactor = needed('low_freq_factor');
      const highFreqFactor = needed('high_freq_factor');
      if (original === undefined) {
        return refuse(
          FILE,
          `${name}.original_max_position_embeddings is missing; RoPE of type llama3 needs it`,
        );
      }
      if (highFreqFactor <= lowFreqFactor) {
        refuse(FILE, `${name}.high_freq_factor must be above low_freq_factor (${lowFreqFactor})`);
      }
      return {
        type,
        factor: needed('factor'),
        lowFreqFactor,
        highFreqFactor,
        originalMaxPositionEmbeddings: original,
      };
    }
    default:
      return refuse(
        FILE,
        `${name}.rope_type ${quoted(type)} is not supported; it must be default, linear or llama3`,
      );
  }
}

/** Llama 3 lists several end tokens: the first is the one that ends a document. */
function firstToken(
  field: string,
  id: number | number[] | null | undefined,
  fallback: number,
  vocabSize: number,
): number | null {
  // Absent means Hugging Face's default, as far as the vocabulary has it.
  if (id === undefined) return fallback < vocabSize ? fallback : null;
  const first = Array.isArray(id) ? (id[0] ?? null) : id;
  if (first !== null && first >= vocabSize) {
    return refuse(FILE, `${field} (${first}) must be below vocab_size (${vocabSize})`);
  }
  return first;
}

/**
 * Hugging Face's config.json as a LlamaConfig, with the defaults of transformers' LlamaConfig.
 *
 * @throws InputError in one sentence: a field that is missing, out of range, contradicts another, or asks for
 * what the lab's LLaMA does not compute.
 */
export function parseLlamaConfig(json: unknown): LlamaConfig {
  const config = checked(configSchema, json, FILE);
  if (config.model_type === undefined && !config.architectures?.length) {
    refuse(FILE, 'model_type is missing; it must be "llama"');
  }
  if (config.architectures?.length && !config.architectures.includes('LlamaForCausalLM')) {
    refuse(
      FILE,
      `architectures must include LlamaForCausalLM, but it has ${quoted(config.architectures[0])}`,
    );
  }
  if (config['quantization_config'] != null) {
    refuse(FILE, 'quantization_config is set, but the lab reads F32, F16 and BF16 weights only');
  }
  const { vocab_size, hidden_size, num_attention_heads: heads } = config;
  const keyValueHeads = config.num_key_value_heads ?? heads;
  if (heads % keyValueHeads !== 0) {
    refuse(FILE, `num_key_value_heads (${keyValueHeads}) must divide num_attention_heads (${heads})`);
  }
  if (config.head_dim == null && hidden_size % heads !== 0) {
    refuse(
      FILE,
      `num_attention_heads (${heads}) must divide hidden_size (${hidden_size}), or head_dim must be given`,
    );
  }
  const headDim = config.head_dim ?? hidden_size / heads;
  if (headDim > LLAMA_LIMITS.head_dim)
    refuse(
      FILE,
      `hidden_size / num_attention_heads (${headDim}) must be at most ${LLAMA_LIMITS.head_dim}, the largest head_dim of the lab's attention`,
    );
  if (headDim % 2 !== 0) refuse(FILE, `head_dim (${headDim}) must be even, because RoPE turns pairs`);
  const rope = config.rope_parameters ?? config.rope_scaling;
  return {
    vocabSize: vocab_size,
    hiddenSize: hidden_size,
    numHiddenLayers: config.num_hidden_layers,
    numAttentionHeads: heads,
    numKeyValueHeads: keyValueHeads,
    headDim,
    intermediateSize: config.intermediate_size,
    maxPositionEmbeddings: config.max_position_embeddings,
    rmsNormEps: config.rms_norm_eps,
    ropeTheta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000,
    ropeScaling: ropeScalingOf(config.rope_parameters ? 'rope_parameters' : 'rope_scaling', rope),
    tieWordEmbeddings: config.tie_word_embeddings,
    attentionBias: config.attention_bias,
    mlpBias: config.mlp_bias ?? false,
    bosTokenId: firstToken('bos_token_id', config.bos_token_id, 1, vocab_size),
    eosTokenId: firstToken('eos_token_id', config.eos_token_id, 2, vocab_size),
  };
}

function ropeScalingJson(scaling: RopeScaling): object | null {
  switch (scaling.type) {
    case 'default':
      return null;
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor };
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
      };
  }
}

/** The config.json that transformers (4 and 5) reads as this configuration. */
export function llamaConfigJson(
  config: LlamaConfig,
  dtype: 'float32' | 'float16' | 'bfloat16' = 'float32',
): object {
  return {
    architectures: ['LlamaForCausalLM'],
    attention_bias: config.attentionBias,
    attention_dropout: 0,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    head_dim: config.headDim,
    hidden_act: 'silu',
    hidden_size: config.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    mlp_bias: config.mlpBias,
    model_type: 'llama',
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    num_key_value_heads: config.numKeyValueHeads,
    rms_norm_eps: config.rmsNormEps,
    rope_scaling: ropeScalingJson(config.ropeScaling),
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: dtype,
    use_cache: true,
    vocab_size: config.vocabSize,
  };
}
