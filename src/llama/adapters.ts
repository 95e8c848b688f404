import { alignElements } from '../gpu/buffers';
import type { LlamaConfig } from './config';
import {
  LINEARS,
  linearShapes,
  parameterLayout,
  type FlatModel,
  type LinearName,
  type Region,
  type TensorPlace,
} from './parameters';

/** The projections of a block that may have an adapter: those of Hugging Face's modules. */
export const PROJECTIONS = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const;
export type Projection = (typeof PROJECTIONS)[number];

/**
 * Low-rank adapters on frozen weights (Hu et al. 2021, eq. 3; as Hugging Face's PEFT computes them):
 * y = x·Wᵀ + (α/r)·drop(x)·Aᵀ·Bᵀ with A [r, inputs] and B [outputs, r], one pair a projection and layer.
 */
export interface LoraOptions {
  /** r, a whole number from 1. */
  rank: number;
  alpha: number;
  /** Probability in [0, 1) that an input of A is dropped in a training step; 0 draws nothing. */
  dropout: number;
  /** At least one. */
  projections: readonly Projection[];
  /** A at the start is drawn from it. */
  seed: number;
}

/** The adapter of one projection of one layer, and where its values lie in the flat buffer of all adapters. */
export interface AdapterPlace {
  projection: Projection;
  /** [r, inputs] */
  a: Region;
  /** [columns, r] */
  b: Region;
  inputs: number;
  /** The projection's columns of the product that it is fused into: its rows of the weights. */
  first: number;
  columns: number;
  /** Layer · 7 + number of the projection: the same whichever others have adapters. Keys buffers and noise. */
  site: number;
}

/** One layout for adapters, their gradients and moments; every region can be bound, padding is 0. */
export interface AdapterLayout {
  /** By layer and linear layer, in the order of `PROJECTIONS`. */
  layers: readonly Readonly<Record<LinearName, readonly AdapterPlace[]>>[];
  /** `…q_proj.lora_A.weight` and so on, as PEFT names them behind its own prefix. */
  tensors: readonly TensorPlace[];
  /** Length of the flat buffer in elements, a multiple of 64. */
  total: number;
  /** Parameters proper, without padding. */
  parameterCount: number;
}

/** s = α/r, what the adapters' products are multiplied by. */
export function adapterScale({ alpha, rank }: LoraOptions): number {
  return alpha / rank;
}

/** The linear layer that each projection is a part of, its rows there, and its module's name. */
function projectionParts(config: LlamaConfig) {
  const { hiddenSize, intermediateSize: I, headDim } = config;
  const queries = config.numAttentionHeads * headDim;
  const keys = config.numKeyValueHeads * headDim;
  const part = (linear: LinearName, first: number, columns: number, module: string) => ({
    linear,
    first,
    columns,
    module,
  });
  return {
    q: part('qkv', 0, queries, 'self_attn.q_proj'),
    k: part('qkv', queries, keys, 'self_attn.k_proj'),
    v: part('qkv', queries + keys, keys, 'self_attn.v_proj'),
    o: part('output', 0, hiddenSize, 'self_attn.o_proj'),
    gate: part('gateUp', 0, I, 'mlp.gate_proj'),
    up: part('gateUp', I, I, 'mlp.up_proj'),
    down: part('down', 0, hiddenSize, 'mlp.down_proj'),
  } satisfies Record<Projection, unknown>;
}

/** Where the adapters of a model lie. @throws RangeError without a projection or with a rank that is no size. */
export function adapterLayout(
  config: LlamaConfig,
  { rank, projections }: Pick<LoraOptions, 'rank' | 'projections'>,
): AdapterLayout {
  if (projections.length === 0) throw new RangeError('Adapters need a projection that they adapt');
  if (!Number.isInteger(rank) || rank < 1) throw new RangeError(`An adapter of rank ${rank} is none`);
  const parts = projectionParts(config);
  const shapes = linearShapes(config);
  let end = 0;
  const place = (elements: number): Region => {
    const region = { offset: end, elements };
    end = alignElements(end + elements);
    return region;
  };
  const tensors: TensorPlace[] = [];
  const layers = Array.from({ length: config.numHiddenLayers }, (_, l) => {
    const layer: Record<LinearName, AdapterPlace[]> = { qkv: [], output: [], gateUp: [], down: [] };
    for (const [number, projection] of PROJECTIONS.entries()) {
      if (!projections.includes(projection)) continue;
      const { linear, first, columns, module } = parts[projection];
      const { k: inputs } = shapes[linear];
      const a = place(rank * inputs);
      const b = place(columns * rank);
      const site = l * PROJECTIONS.length + number;
      layer[linear].push({ projection, a, b, inputs, first, columns, site });
      const name = `model.layers.${l}.${module}`;
      tensors.push({ name: `${name}.lora_A.weight`, shape: [rank, inputs], offset: a.offset });
      tensors.push({ name: `${name}.lora_B.weight`, shape: [columns, rank], offset: b.offset });
    }
    return layer;
  });
  const parameterCount = tensors.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  return { layers, tensors, total: end, parameterCount };
}

/**
 * The model with its adapters folded in, W + s·B·A, each entry summed in float64 and rounded once.
 *
 * @param values flat, in the layout of `adapterLayout`
 * @throws RangeError when there are not as many as the layout has
 */
export function mergeAdapters(model: FlatModel, lora: LoraOptions, values: Float32Array): FlatModel {
  const { config } = model;
  const layout = adapterLayout(config, lora);
  if (values.length !== layout.total) {
    throw new RangeError(`${values.length} values are not the ${layout.total} of these adapters`);
  }
  const weights = parameterLayout(config);
  const parameters = model.parameters.slice();
  const scale = adapterScale(lora);
  layout.layers.forEach((adapters, l) => {
    for (const linear of LINEARS) {
      for (const { a, b, inputs, first, columns } of adapters[linear]) {
        for (let row = 0; row < columns; row++) {
          const at = weights.layers[l]![linear].offset + (first + row) * inputs;
          const sums = Float64Array.from(parameters.subarray(at, at + inputs));
          for (let i = 0; i < lora.rank; i++) {
            const factor = scale * values[b.offset + row * lora.rank + i]!;
            const from = a.offset + i * inputs;
            for (let column = 0; column < inputs; column++) sums[column]! += factor * values[from + column]!;
          }
          parameters.set(sums, at);
        }
      }
    }
  });
  return { config, parameters };
}
