import type { LlamaConfig } from '../llama/config';

/** What a LLaMA of some shape costs: exact counts, no measurements. */

/**
 * Elements of one block's matrices, each of which is one multiply-add a token:
 * d·H·dh (q) + 2·d·G·dh (k, v) + H·dh·d (o) + 3·d·I (gate, up, down).
 */
function blockMatrixElements(config: LlamaConfig): number {
  const { hiddenSize: d, numAttentionHeads: H, numKeyValueHeads: G, headDim, intermediateSize: I } = config;
  return 2 * d * (H + G) * headDim + 3 * d * I;
}

/** Parameters of all blocks: matrices, two norms and whatever biases there are. */
export function blockParameterCount(config: LlamaConfig): number {
  const { hiddenSize: d, numAttentionHeads: H, numKeyValueHeads: G, headDim, intermediateSize: I } = config;
  const attentionBiases = config.attentionBias ? (H + 2 * G) * headDim + d : 0;
  const mlpBiases = config.mlpBias ? 2 * I + d : 0;
  return config.numHiddenLayers * (blockMatrixElements(config) + 2 * d + attentionBiases + mlpBiases);
}

/** Exact number of parameters; tied embeddings count once. */
export function parameterCount(config: LlamaConfig): number {
  const embeddings = (config.tieWordEmbeddings ? 1 : 2) * config.vocabSize * config.hiddenSize;
  return embeddings + blockParameterCount(config) + config.hiddenSize;
}

/**
 * Floating-point operations of the forward pass, a token, averaged over a window of `context` tokens:
 *
 *   2·(L·block matrices + V·d) + L·4·H·dh·(context + 1)/2
 *
 * A multiply-add is two operations; scores and values are 2·H·dh each for every key, and causal attention
 * reads (context + 1)/2 keys on average. Norms, activations and softmax (under 1 %) are left out.
 */
export function forwardFlopsPerToken(config: LlamaConfig, context: number): number {
  const { numHiddenLayers: L, numAttentionHeads: H, headDim } = config;
  return matrixFlopsPerToken(config) + L * 4 * H * headDim * ((context + 1) / 2);
}

/** Those of one product with every matrix, a token: 2·(L·block matrices + V·d). */
function matrixFlopsPerToken(config: LlamaConfig): number {
  return 2 * (config.numHiddenLayers * blockMatrixElements(config) + config.vocabSize * config.hiddenSize);
}

/**
 * Floating-point operations of a training step, a token: three times the forward pass, because the backward
 * pass makes two products (of the input's and of the weight's gradient) for each one of the forward pass.
 * Work that is done twice to save memory is not counted.
 */
export function trainingFlopsPerToken(config: LlamaConfig, context: number): number {
  return 3 * forwardFlopsPerToken(config, context);
}

/**
 * The same of a step that trains low-rank adapters with so many parameters in all on frozen weights: three products of
 * each adapter, and none for the gradient of a frozen matrix.
 */
export function adapterTrainingFlopsPerToken(config: LlamaConfig, context: number, adapters: number): number {
  return trainingFlopsPerToken(config, context) - matrixFlopsPerToken(config) + 6 * adapters;
}

/** Bytes of the weights as a file holds them; 4 a value is f32, 2 is f16 or bf16. */
export function weightBytes(config: LlamaConfig, bytesPerValue = 4): number {
  return parameterCount(config) * bytesPerValue;
}
