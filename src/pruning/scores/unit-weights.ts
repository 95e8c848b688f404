import type { LlamaConfig } from '../../llama/config';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import { parameterLayout, type Region } from '../../llama/parameters';

/** A number for every unit of a set: the rows of its gates one after the other (src/llama/gates.ts). */
export type UnitValues = Record<GateSet, Float64Array>;

/**
 * Σ of `value` over all weights that go with each unit when it is cut (src/pruning/surgery.ts): of a hidden dimension
 * its column or row in every matrix and its place in every norm; of a head (a key/value group) its rows of q, k, v
 * and columns of o; of an MLP unit its rows of gate and up and column of down; of a layer all of its matrices, both
 * norms and its biases.
 *
 * @param value of the weight at an index of the flat parameters
 */
export function sumOverUnits(config: LlamaConfig, value: (index: number) => number): UnitValues {
  const gates = gateLayout(config);
  const layout = parameterLayout(config);
  const sums = Object.fromEntries(
    GATE_SETS.map((set) => [set, new Float64Array(gates[set].rows * gates[set].length)]),
  ) as UnitValues;
  const { hidden, head, intermediate, layer } = sums;
  const { hiddenSize: d, headDim, numKeyValueHeads: G, intermediateSize: I } = config;
  const queryWidth = config.numAttentionHeads * headDim;
  const group = queryWidth / G;
  const headOfQkv = (row: number) =>
    row < queryWidth ? Math.floor(row / group) : Math.floor(((row - queryWidth) % (G * headDim)) / headDim);

  const matrix = (
    { offset, elements }: Region,
    columns: number,
    visit: (row: number, column: number, v: number) => void,
  ) => {
    for (let i = 0; i < elements; i++) visit(Math.floor(i / columns), i % columns, value(offset + i));
  };
  const embedding = (_: number, column: number, v: number) => {
    hidden[column]! += v;
  };
  matrix(layout.embedding, d, embedding);
  if (!config.tieWordEmbeddings) matrix(layout.head, d, embedding);
  const norm = (site: number, l: number | null) => {
    for (let j = 0; j < d; j++) {
      const v = value(layout.norms.offset + site * d + j);
      hidden[j]! += v;
      if (l !== null) layer[l]! += v;
    }
  };
  layout.layers.forEach((regions, l) => {
    const unit = (set: Float64Array, index: number, column: number | null, v: number) => {
      set[index]! += v;
      if (column !== null) hidden[column]! += v;
      layer[l]! += v;
    };
    const headOf = (row: number) => l * G + headOfQkv(row);
    const channelOf = (column: number) => l * G + Math.floor(column / group);
    matrix(regions.qkv, d, (row, column, v) => unit(head, headOf(row), column, v));
    matrix(regions.output, queryWidth, (row, column, v) => unit(head, channelOf(column), row, v));
    matrix(regions.gateUp, d, (row, column, v) => unit(intermediate, l * I + (row % I), column, v));
    matrix(regions.down, I, (row, column, v) => unit(intermediate, l * I + column, row, v));
    if (regions.qkvBias) matrix(regions.qkvBias, 1, (row, _, v) => unit(head, headOf(row), null, v));
    if (regions.outputBias) matrix(regions.outputBias, 1, (row, _, v) => unit(hidden, row, null, v));
    if (regions.gateUpBias) {
      matrix(regions.gateUpBias, 1, (row, _, v) => unit(intermediate, l * I + (row % I), null, v));
    }
    if (regions.downBias) matrix(regions.downBias, 1, (row, _, v) => unit(hidden, row, null, v));
    norm(2 * l, l);
    norm(2 * l + 1, l);
  });
  norm(2 * config.numHiddenLayers, null);
  return sums;
}

/** Σ over rows of f(W_ij) for every column of a [rows, columns] matrix of the flat parameters. */
export function sumColumns(
  parameters: Float32Array,
  { offset, elements }: Region,
  columns: number,
  f: (weight: number) => number,
): Float64Array {
  const sums = new Float64Array(columns);
  for (let i = 0; i < elements; i++) sums[i % columns]! += f(parameters[offset + i]!);
  return sums;
}
