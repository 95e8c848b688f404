import { attentionReference } from '../kernels/attention.reference';
import { embeddingReference } from '../kernels/embedding.reference';
import { matmulReference } from '../kernels/matmul.reference';
import { rmsNormReference } from '../kernels/rms-norm.reference';
import { ropeTable } from '../kernels/rope';
import { ropeReference } from '../kernels/rope.reference';
import { swigluReference } from '../kernels/swiglu.reference';
import type { LlamaConfig } from './config';
import { parameterLayout, type Region } from './parameters';
import type { BatchShape } from './workspace';

/**
 * Logits [B·T, V] of a LLaMA with every gate open, in float64.
 *
 * @param parameters in the layout of `config`, float32 or float64
 * @param atNorm sees, and may change in place, the output [B·T, d] of each of the 2L + 1 norms
 */
export function forwardReference(
  { config, parameters }: { config: LlamaConfig; parameters: Float32Array | Float64Array },
  tokens: Uint32Array,
  { batch, context }: BatchShape,
  atNorm: (site: number, normed: Float64Array) => void = () => undefined,
): Float64Array {
  const rows = batch * context;
  const { hiddenSize: hidden, intermediateSize: intermediate, vocabSize, numHiddenLayers } = config;
  const { numAttentionHeads: heads, numKeyValueHeads: keyValueHeads, headDim } = config;
  const layout = parameterLayout(config);
  const of = ({ offset, elements }: Region) => parameters.subarray(offset, offset + elements);
  const ones = (count: number) => new Float64Array(count).fill(1);
  const table = ropeTable(headDim, context, { theta: config.ropeTheta, scaling: config.ropeScaling });
  /** x·Wᵀ [rows, n], and the bias where there is one. */
  const product = (x: Float64Array, w: Region, n: number, k: number, bias: Region | null = null) => {
    const { c } = matmulReference('nt', x, of(w), rows, n, k);
    return bias ? c.map((v, i) => v + of(bias)[i % n]!) : c;
  };
  const norm = (x: Float64Array, site: number) => {
    const weights = of(layout.norms).subarray(site * hidden, (site + 1) * hidden);
    const shape = { rows, hidden, epsilon: config.rmsNormEps };
    const normed = rmsNormReference(x, weights, ones(hidden), shape);
    atNorm(site, normed);
    return normed;
  };

  let x = embeddingReference(of(layout.embedding), tokens, hidden);
  layout.layers.forEach((layer, l) => {
    const shape = { batch, heads, keyValueHeads, headDim };
    const qkvWidth = (heads + 2 * keyValueHeads) * headDim;
    const qkv = ropeReference(
      product(norm(x, 2 * l), layer.qkv, qkvWidth, hidden),
      layer.qkvBias && of(layer.qkvBias),
      table,
      { ...shape, context },
    );
    const attended = attentionReference(qkv, ones(keyValueHeads), {
      ...shape,
      contextLength: context,
    }).context;
    const written = product(attended, layer.output, hidden, heads * headDim, layer.outputBias);
    x = x.map((v, i) => v + written[i]!);
    const gateUp = product(norm(x, 2 * l + 1), layer.gateUp, 2 * intermediate, hidden, layer.gateUpBias);
    const activated = swigluReference(gateUp, ones(intermediate), { rows, intermediate });
    const added = product(activated, layer.down, hidden, intermediate, layer.downBias);
    x = x.map((v, i) => v + added[i]!);
  });
  return product(norm(x, 2 * numHiddenLayers), layout.head, vocabSize, hidden);
}
