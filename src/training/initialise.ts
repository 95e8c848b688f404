import { uniform } from '../data/random';
import type { LlamaConfig } from '../llama/config';
import { parameterLayout } from '../llama/parameters';

/** Key of the random stream, next to those of src/data/sampler.ts. */
const WEIGHT_STREAM = 3;

/** So that the first predictions are even. */
const HEAD_DEVIATION = 0.02;
/** So that at first a token's own vector outweighs what the blocks add to it. */
const EMBEDDING_DEVIATION = 0.5;

/** A normal draw (Box–Muller), a function of (seed, index) alone. */
function normal(seed: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(seed, WEIGHT_STREAM, 2 * index)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, WEIGHT_STREAM, 2 * index + 1));
}

/** Standard deviation of a matrix [rows, columns] at the start. */
function deviationOf(config: LlamaConfig, name: string, columns: number): number {
  if (name === 'lm_head.weight') return HEAD_DEVIATION;
  if (name === 'model.embed_tokens.weight') {
    return config.tieWordEmbeddings ? HEAD_DEVIATION : EMBEDDING_DEVIATION;
  }
  const writesToResidual = /\.(o_proj|down_proj)\.weight$/.test(name);
  return 1 / Math.sqrt(columns * (writesToResidual ? 2 * config.numHiddenLayers : 1));
}

/**
 * A model's weights before any training, flat in the layout of `config`: normal matrices with the deviations
 * of scripts/pretrain/model.py (1/√fan-in, over √(2L) where a block writes to the residual stream), norms at 1,
 * biases at 0. The same seed gives the same weights.
 */
export function initialParameters(config: LlamaConfig, seed: number): Float32Array {
  const layout = parameterLayout(config);
  const flat = new Float32Array(layout.total);
  flat.fill(1, layout.norms.offset, layout.norms.offset + layout.norms.elements);
  for (const { name, shape, offset } of layout.tensors) {
    const [rows, columns] = shape;
    if (rows === undefined || columns === undefined) continue;
    const deviation = deviationOf(config, name, columns);
    const end = offset + rows * columns;
    for (let i = offset; i < end; i++) flat[i] = deviation * normal(seed, i);
  }
  return flat;
}
