import { gateLayout } from '../../llama/gates';
import { parameterLayout, unpackParameters, type FlatModel } from '../../llama/parameters';
import { criterion, type CriterionId } from '.';
import type { ActivationStatistics } from './statistics';

/** Whether the model of this experiment gets biases for what it loses: the score has it, and all goes at once. */
export function compensates({
  method,
  scores,
}: {
  method: string;
  scores: { widths: CriterionId; compensate: boolean; steps: number };
}): boolean {
  return (
    method === 'one-shot' &&
    scores.compensate &&
    scores.steps === 0 &&
    criterion(scores.widths).compensates === true
  );
}

/**
 * The model with biases on the outputs of attention and MLP that make up for the mean of what `mask` closes (FLAP):
 * b += Σ over closed inputs j of W_·j · E[x_j], for the output and the down projection. The other biases that Hugging
 * Face's `attention_bias` and `mlp_bias` switch on are 0 where the model had none.
 */
export function compensated(
  { config, parameters }: FlatModel,
  mask: Float32Array,
  { attended, activated }: ActivationStatistics,
): FlatModel {
  const biased = { ...config, attentionBias: true, mlpBias: true };
  const to = parameterLayout(biased);
  const values = new Float32Array(to.total);
  const places = unpackParameters(to, values);
  for (const [name, tensor] of unpackParameters(parameterLayout(config), parameters)) {
    places.get(name)!.set(tensor);
  }
  const gates = gateLayout(config);
  const { hiddenSize, intermediateSize: I, numAttentionHeads, numKeyValueHeads: G, headDim } = config;
  const width = numAttentionHeads * headDim;
  /** bias += W·(E[x] where closed) for a matrix [d, columns] at `offset`. */
  const add = (bias: number, matrix: number, mean: Float64Array, closed: (column: number) => boolean) => {
    for (let i = 0; i < hiddenSize; i++) {
      let sum = values[bias + i]!;
      for (let j = 0; j < mean.length; j++) {
        if (closed(j)) sum += values[matrix + i * mean.length + j]! * mean[j]!;
      }
      values[bias + i] = sum;
    }
  };
  to.layers.forEach((layer, l) => {
    const closedHead = (j: number) => mask[gates.head.offset + l * G + Math.floor(j / (width / G))] === 0;
    const closedUnit = (j: number) => mask[gates.intermediate.offset + l * I + j] === 0;
    add(layer.outputBias!.offset, layer.output.offset, attended[l]!.mean, closedHead);
    add(layer.downBias!.offset, layer.down.offset, activated[l]!.mean, closedUnit);
  });
  return { config: biased, parameters: values };
}
