import { alignElements } from '../gpu/buffers';
import type { LlamaConfig } from './config';

/** A run of elements in the flat parameter buffer (and, at the same place, in its gradient and moments). */
export interface Region {
  offset: number;
  elements: number;
}

/** One Hugging Face tensor and where its row-major values lie. */
export interface TensorPlace {
  name: string;
  shape: readonly number[];
  offset: number;
}

/** The linear layers of a block by the names of their regions. */
export const LINEARS = ['qkv', 'output', 'gateUp', 'down'] as const;
export type LinearName = (typeof LINEARS)[number];

/** Rows n and columns k of each linear layer's weights. */
export function linearShapes(config: LlamaConfig): Record<LinearName, { n: number; k: number }> {
  const { hiddenSize: d, intermediateSize: I, numAttentionHeads: H, numKeyValueHeads: G, headDim } = config;
  return {
    qkv: { n: (H + 2 * G) * headDim, k: d },
    output: { n: d, k: H * headDim },
    gateUp: { n: 2 * I, k: d },
    down: { n: d, k: I },
  };
}

export interface LayerRegions {
  /** [(H + 2G)·dh, d]: the rows of q, then k, then v, so that one product makes all three. */
  qkv: Region;
  /** [d, H·dh] */
  output: Region;
  /** [2I, d]: the rows of gate, then up. */
  gateUp: Region;
  /** [d, I] */
  down: Region;
  /** [(H + 2G)·dh] and [d], when `attention_bias` is set. */
  qkvBias: Region | null;
  outputBias: Region | null;
  /** [2I] and [d], when `mlp_bias` is set. */
  gateUpBias: Region | null;
  downBias: Region | null;
}

/**
 * One layout for weights, gradients and both Adam moments, so that clipping and AdamW each run over one
 * flat buffer. Matrices come first, then what weight decay leaves alone (norms, biases).
 */
export interface ParameterLayout {
  embedding: Region;
  layers: readonly LayerRegions[];
  /** [V, d]; the embedding's own region when embeddings are tied. */
  head: Region;
  /** [2L + 1, d]: each layer's input norm and post-attention norm, then the final norm. */
  norms: Region;
  tensors: readonly TensorPlace[];
  /** Elements [0, decayEnd) decay. */
  decayEnd: number;
  /** Length of the flat buffer in elements, a multiple of 64. */
  total: number;
  /** Parameters proper, without padding and counting a tied matrix once. */
  parameterCount: number;
}

export function parameterLayout(config: LlamaConfig): ParameterLayout {
  const { vocabSize: V, hiddenSize: d, numHiddenLayers: L, intermediateSize: I, headDim } = config;
  const queryRows = config.numAttentionHeads * headDim;
  const keyRows = config.numKeyValueHeads * headDim;
  const qkvRows = queryRows + 2 * keyRows;

  let end = 0;
  const place = (elements: number): Region => {
    const region = { offset: end, elements };
    end = alignElements(end + elements);
    return region;
  };

  const embedding = place(V * d);
  const matrices = Array.from({ length: L }, () => ({
    qkv: place(qkvRows * d),
    output: place(d * queryRows),
    gateUp: place(2 * I * d),
    down: place(d * I),
  }));
  const head = config.tieWordEmbeddings ? embedding : place(V * d);
  const decayEnd = end;
  const norms = place((2 * L + 1) * d);
  const layers = matrices.map((regions) => ({
    ...regions,
    qkvBias: config.attentionBias ? place(qkvRows) : null,
    outputBias: config.attentionBias ? place(d) : null,
    gateUpBias: config.mlpBias ? place(2 * I) : null,
    downBias: config.mlpBias ? place(d) : null,
  }));

  const tensors: TensorPlace[] = [];
  const tensor = (name: string, offset: number, ...shape: number[]) => tensors.push({ name, shape, offset });
  tensor('model.embed_tokens.weight', embedding.offset, V, d);
  layers.forEach((layer, l) => {
    const at = `model.layers.${l}`;
    tensor(`${at}.self_attn.q_proj.weight`, layer.qkv.offset, queryRows, d);
    tensor(`${at}.self_attn.k_proj.weight`, layer.qkv.offset + queryRows * d, keyRows, d);
    tensor(`${at}.self_attn.v_proj.weight`, layer.qkv.offset + (queryRows + keyRows) * d, keyRows, d);
    tensor(`${at}.self_attn.o_proj.weight`, layer.output.offset, d, queryRows);
    if (layer.qkvBias && layer.outputBias) {
      tensor(`${at}.self_attn.q_proj.bias`, layer.qkvBias.offset, queryRows);
      tensor(`${at}.self_attn.k_proj.bias`, layer.qkvBias.offset + queryRows, keyRows);
      tensor(`${at}.self_attn.v_proj.bias`, layer.qkvBias.offset + queryRows + keyRows, keyRows);
      tensor(`${at}.self_attn.o_proj.bias`, layer.outputBias.offset, d);
    }
    tensor(`${at}.mlp.gate_proj.weight`, layer.gateUp.offset, I, d);
    tensor(`${at}.mlp.up_proj.weight`, layer.gateUp.offset + I * d, I, d);
    tensor(`${at}.mlp.down_proj.weight`, layer.down.offset, d, I);
    if (layer.gateUpBias && layer.downBias) {
      tensor(`${at}.mlp.gate_proj.bias`, layer.gateUpBias.offset, I);
      tensor(`${at}.mlp.up_proj.bias`, layer.gateUpBias.offset + I, I);
      tensor(`${at}.mlp.down_proj.bias`, layer.downBias.offset, d);
    }
    tensor(`${at}.input_layernorm.weight`, norms.offset + 2 * l * d, d);
    tensor(`${at}.post_attention_layernorm.weight`, norms.offset + (2 * l + 1) * d, d);
  });
  tensor('model.norm.weight', norms.offset + 2 * L * d, d);
  if (!config.tieWordEmbeddings) tensor('lm_head.weight', head.offset, V, d);

  const parameterCount = tensors.reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0);
  return { embedding, layers, head, norms, tensors, decayEnd, total: end, parameterCount };
}

/** A model as flat parameters on the CPU, in the layout of its configuration. */
export interface FlatModel {
  config: LlamaConfig;
  parameters: Float32Array;
}

/** Copies named tensors into one flat array in the layout. Shapes were checked when the folder was read. */
export function packParameters(
  layout: ParameterLayout,
  tensors: ReadonlyMap<string, Float32Array>,
): Float32Array {
  const flat = new Float32Array(layout.total);
  for (const { name, offset } of layout.tensors) {
    const values = tensors.get(name);
    if (!values) throw new Error(`model.safetensors lacks the tensor ${name}`);
    flat.set(values, offset);
  }
  return flat;
}

/** Views of the named tensors in a flat array. */
export function unpackParameters(layout: ParameterLayout, flat: Float32Array): Map<string, Float32Array> {
  return new Map(
    layout.tensors.map(({ name, offset, shape }) => [
      name,
      flat.subarray(offset, offset + shape.reduce((a, b) => a * b, 1)),
    ]),
  );
}
