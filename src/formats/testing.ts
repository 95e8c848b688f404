import type { LlamaConfig } from '../llama/config';
import { parameterLayout } from '../llama/parameters';
import type { Tensor } from './safetensors';

/** For tests: a LLaMA of two small layers. */
export function smallConfig(changes: Partial<LlamaConfig> = {}): LlamaConfig {
  return {
    vocabSize: 11,
    hiddenSize: 12,
    numHiddenLayers: 2,
    numAttentionHeads: 4,
    numKeyValueHeads: 2,
    headDim: 6,
    intermediateSize: 10,
    maxPositionEmbeddings: 64,
    rmsNormEps: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { type: 'default' },
    tieWordEmbeddings: false,
    attentionBias: false,
    mlpBias: false,
    bosTokenId: 1,
    eosTokenId: 2,
    ...changes,
  };
}

/** For tests: tensors that differ from each other, of the shapes that the configuration implies. */
export function smallTensors(config: LlamaConfig): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  let seed = 1;
  for (const { name, shape } of parameterLayout(config).tensors) {
    const length = shape.reduce((product, extent) => product * extent, 1);
    tensors.set(name, { shape: [...shape], data: Float32Array.from({ length }, () => Math.sin(seed++)) });
  }
  return tensors;
}

/** The values of tensors without their shapes, as a model folder holds them. */
export function valuesOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, { data }]) => [name, data]));
}
