import type { LlamaConfig } from '../../llama/config';
import { parameterLayout, type FlatModel, type Region } from '../../llama/parameters';

/** The weights of a model before and after; storing them in float32 is the one rounding. */
type Weights = Float32Array | Float64Array;

/** The configuration of a folded or turned model: the head has the last norm's weights in it, the embedding has not. */
export function foldedConfig(config: LlamaConfig): LlamaConfig {
  return { ...config, tieWordEmbeddings: false };
}

/** sum += factor · (as many values from `start` on) */
function addScaled(sum: Float64Array, factor: number, values: Weights, start: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * values[start + i]!;
}

/**
 * Writes the model in the axes of Q into `target`, in the layout of `foldedConfig`; without axes folds its norms only.
 * With D_s the diagonal matrix of the weights of norm s (docs/method.md, section 13):
 *
 * - embedding: E·Q;
 * - q, k, v, gate, up and head, which read a norm's output: W·D_s·Q;
 * - o, down, which write into the residual stream: Qᵀ·W, their biases: Qᵀ·b;
 * - q, k, v, gate and up biases: as they are; norm weights: 1.
 *
 * All products are summed in float64.
 *
 * @param axes Q [d, d], orthogonal, row-major: column j is axis j
 * @throws when the axes are not d × d
 */
export function turnInto<T extends Weights>(
  target: T,
  { config, parameters }: { config: LlamaConfig; parameters: Weights },
  axes: Float64Array | null,
): T {
  const d = config.hiddenSize;
  if (axes && axes.length !== d * d) {
    throw new Error(`${axes.length} values are not the axes of ${d} hidden dimensions`);
  }
  const from = parameterLayout(config);
  const to = parameterLayout(foldedConfig(config));

  const copy = ({ offset, elements }: Region, at: Region) => {
    for (let i = 0; i < elements; i++) target[at.offset + i] = parameters[offset + i]!;
  };
  /** Rows [rows, d], each times the weights of norm `site` (null: none) and then Q. */
  const reader = (region: Region, at: Region, site: number | null) => {
    const row = new Float64Array(d);
    for (let first = 0; first < region.elements; first += d) {
      row.fill(0);
      for (let j = 0; j < d; j++) {
        const weight = site === null ? 1 : parameters[from.norms.offset + site * d + j]!;
        const value = parameters[region.offset + first + j]! * weight;
        if (!axes) row[j] = value;
        else addScaled(row, value, axes, j * d);
      }
      target.set(row, at.offset + first);
    }
  };
  /** Qᵀ times a matrix [d, columns]. */
  const writer = (region: Region, at: Region) => {
    if (!axes) return copy(region, at);
    const columns = region.elements / d;
    const row = new Float64Array(columns);
    for (let k = 0; k < d; k++) {
      row.fill(0);
      for (let j = 0; j < d; j++) {
        addScaled(row, axes[j * d + k]!, parameters, region.offset + j * columns);
      }
      target.set(row, at.offset + k * columns);
    }
  };

  reader(from.embedding, to.embedding, null);
  from.layers.forEach((layer, l) => {
    const turned = to.layers[l]!;
    reader(layer.qkv, turned.qkv, 2 * l);
    writer(layer.output, turned.output);
    reader(layer.gateUp, turned.gateUp, 2 * l + 1);
    writer(layer.down, turned.down);
    if (layer.qkvBias) copy(layer.qkvBias, turned.qkvBias!);
    if (layer.outputBias) writer(layer.outputBias, turned.outputBias!);
    if (layer.gateUpBias) copy(layer.gateUpBias, turned.gateUpBias!);
    if (layer.downBias) writer(layer.downBias, turned.downBias!);
  });
  reader(from.head, to.head, 2 * config.numHiddenLayers);
  target.fill(1, to.norms.offset, to.norms.offset + to.norms.elements);
  return target;
}

const turned = (model: FlatModel, axes: Float64Array | null): FlatModel => {
  const config = foldedConfig(model.config);
  return { config, parameters: turnInto(new Float32Array(parameterLayout(config).total), model, axes) };
};

/**
 * The same function with every norm's weights in the columns of what the norm feeds, and 1 in their place. A tied
 * model becomes untied, V·d parameters larger: its embedding stays as it is, its head is the folded copy.
 */
export function foldNorms(model: FlatModel): FlatModel {
  return turned(model, null);
}

/**
 * The same function in other axes of the residual stream: folds the norms (nothing to do in a folded model) and
 * turns, with float64 sums and one rounding to float32. An RMSNorm without weights commutes with Q, since
 * ‖x·Q‖ = ‖x‖ (SliceGPT, Ashkboos et al., ICLR 2024, §3.1, with one Q for all layers, so that nothing has to be
 * put into the residual path). Hidden dimension j of the result is axis j.
 *
 * @param axes Q [d, d], orthogonal, row-major: column j is axis j
 * @throws when the axes are not d × d
 */
export function turn(model: FlatModel, axes: Float64Array): FlatModel {
  return turned(model, axes);
}
