import { prunedConfig, queryHeadsPerGroup, type LlamaConfig } from '../llama/config';
import { gateLayout } from '../llama/gates';
import { parameterLayout } from '../llama/parameters';
import { keptUnits, type KeptUnits } from './masks';

export interface Surgery {
  config: LlamaConfig;
  /** Flat parameters in the layout of the pruned configuration. */
  parameters: Float32Array;
  kept: KeptUnits;
}

/**
 * Cuts a model to the units whose mask is not 0 and folds each remaining mask value into the weights
 * exactly once (docs/method.md, section 4), the hidden mask into norms and branch outputs only:
 *
 * - embedding, LM head: hidden columns kept, never scaled (so tied embeddings stay tied);
 * - norm weights: × z_hidden;
 * - q, k: rows of kept heads; v: those rows × z_head;
 * - o: rows × z_layer·z_hidden, columns of kept heads;
 * - gate: rows of kept units; up: those rows × z_intermediate;
 * - down: rows × z_layer·z_hidden, columns of kept units;
 * - biases: as the rows that they are added to.
 *
 * @throws when the mask does not leave the same number of heads and of MLP units in every kept layer.
 */
export function cutModel(source: LlamaConfig, parameters: Float32Array, mask: Float32Array): Surgery {
  const gates = gateLayout(source);
  const kept = keptUnits(source, mask);
  const group = queryHeadsPerGroup(source);
  const uniform = (what: string, rows: number[][]) => {
    const counts = new Set(kept.layers.map((l) => rows[l]!.length));
    if (counts.size !== 1 || counts.has(0)) {
      throw new Error(
        `The masks leave ${[...counts].join(', ')} ${what} in different layers, not one number`,
      );
    }
    return [...counts][0]!;
  };
  if (kept.layers.length === 0 || kept.hidden.length === 0) {
    throw new Error('The masks leave no layer or no hidden dimension');
  }
  const config = prunedConfig(source, {
    numHiddenLayers: kept.layers.length,
    hiddenSize: kept.hidden.length,
    numAttentionHeads: uniform('heads', kept.heads) * group,
    intermediateSize: uniform('MLP units', kept.intermediate),
  });

  const from = parameterLayout(source);
  const to = parameterLayout(config);
  const target = new Float32Array(to.total);
  const { headDim, numAttentionHeads: H, numKeyValueHeads: G, intermediateSize: I } = source;
  const hiddenGate = (j: number) => mask[gates.hidden.offset + j]!;
  const one = () => 1;
  const all = (count: number) => Array.from({ length: count }, (_, i) => i);
  const headRows = (heads: readonly number[], first: number) =>
    heads.flatMap((h) => all(headDim).map((c) => first + h * headDim + c));

  /** Copies `rows` × `columns` of a matrix, each row scaled by `scale` of its source index. */
  const copy = (
    fromOffset: number,
    fromColumns: number,
    rows: readonly number[],
    columns: readonly number[],
    toOffset: number,
    scale: (row: number) => number,
  ) => {
    rows.forEach((row, r) => {
      const factor = scale(row);
      columns.forEach((column, c) => {
        target[toOffset + r * columns.length + c] =
          parameters[fromOffset + row * fromColumns + column]! * factor;
      });
    });
  };
  const d = source.hiddenSize;
  copy(from.embedding.offset, d, all(source.vocabSize), kept.hidden, to.embedding.offset, one);
  if (!source.tieWordEmbeddings) {
    copy(from.head.offset, d, all(source.vocabSize), kept.hidden, to.head.offset, one);
  }
  const copyNorm = (fromSite: number, toSite: number) => {
    kept.hidden.forEach((j, c) => {
      target[to.norms.offset + toSite * config.hiddenSize + c] =
        parameters[from.norms.offset + fromSite * d + j]! * hiddenGate(j);
    });
  };
  kept.layers.forEach((l, m) => {
    const old = from.layers[l]!;
    const cut = to.layers[m]!;
    const headGate = (g: number) => mask[gates.head.offset + l * G + g]!;
    const unitGate = (i: number) => mask[gates.intermediate.offset + l * I + i]!;
    const branchGate = (j: number) => mask[gates.layer.offset + l]! * hiddenGate(j);
    const groups = kept.heads[l]!;
    const queryHeads = groups.flatMap((g) => all(group).map((q) => g * group + q));
    const units = kept.intermediate[l]!;
    const queries = headRows(queryHeads, 0);
    const keys = headRows(groups, H * headDim);
    const values = headRows(groups, (H + G) * headDim);
    const valueGate = (row: number) => headGate(Math.floor((row - (H + G) * headDim) / headDim));

    const copyQkv = (
      fromOffset: number,
      fromColumns: number,
      columns: readonly number[],
      toOffset: number,
    ) => {
      copy(fromOffset, fromColumns, [...queries, ...keys], columns, toOffset, one);
      const done = (queries.length + keys.length) * columns.length;
      copy(fromOffset, fromColumns, values, columns, toOffset + done, valueGate);
    };
    copyQkv(old.qkv.offset, d, kept.hidden, cut.qkv.offset);
    copy(old.output.offset, H * headDim, kept.hidden, queries, cut.output.offset, branchGate);
    if (old.qkvBias && cut.qkvBias && old.outputBias && cut.outputBias) {
      copyQkv(old.qkvBias.offset, 1, [0], cut.qkvBias.offset);
      copy(old.outputBias.offset, 1, kept.hidden, [0], cut.outputBias.offset, branchGate);
    }
    const copyGateUp = (
      fromOffset: number,
      fromColumns: number,
      columns: readonly number[],
      toOffset: number,
    ) => {
      copy(fromOffset, fromColumns, units, columns, toOffset, one);
      const done = units.length * columns.length;
      copy(fromOffset + I * fromColumns, fromColumns, units, columns, toOffset + done, unitGate);
    };
    copyGateUp(old.gateUp.offset, d, kept.hidden, cut.gateUp.offset);
    copy(old.down.offset, I, kept.hidden, units, cut.down.offset, branchGate);
    if (old.gateUpBias && cut.gateUpBias && old.downBias && cut.downBias) {
      copyGateUp(old.gateUpBias.offset, 1, [0], cut.gateUpBias.offset);
      copy(old.downBias.offset, 1, kept.hidden, [0], cut.downBias.offset, branchGate);
    }
    copyNorm(2 * l, 2 * m);
    copyNorm(2 * l + 1, 2 * m + 1);
  });
  copyNorm(2 * source.numHiddenLayers, 2 * config.numHiddenLayers);
  return { config, parameters: target, kept };
}
