import { queryHeadsPerGroup, type LlamaConfig, type TargetShape } from '../llama/config';
import { GATE_SETS, type GateSet, gateLayout } from '../llama/gates';
import { probabilityOfZero, softValue } from '../kernels/hard-concrete-distribution';

/** Which gate sets are learnt. */
export type LearntSets = Record<GateSet, boolean>;

/** Gates that each row of each set keeps at `target`: head gates cover a key/value group. */
export function targetUnits(config: LlamaConfig, target: TargetShape): Record<GateSet, number> {
  return {
    hidden: target.hiddenSize,
    head: target.numAttentionHeads / queryHeadsPerGroup(config),
    intermediate: target.intermediateSize,
    layer: target.numHiddenLayers,
  };
}

/** target_k = 1 − size_T / size_S of each set (docs/method.md, section 3); 0 for a set that is not learnt. */
export function targetSparsities(
  config: LlamaConfig,
  target: TargetShape,
  learnt: LearntSets,
): Record<GateSet, number> {
  const layout = gateLayout(config);
  const units = targetUnits(config, target);
  return Object.fromEntries(
    GATE_SETS.map((set) => [set, learnt[set] ? 1 - units[set] / layout[set].length : 0]),
  ) as Record<GateSet, number>;
}

/** Indices in the order of their values; of equal ones the later comes first. */
export function leastFirst(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || b - a);
}

/**
 * The deterministic mask of evaluation and of the cut (docs/method.md, section 4): in each row the
 * units with the smallest sigmoid(0.8·log α / β) become 0, the rest keep that value. How many: with a
 * `target` exactly what it leaves over, without one round(row length − Σ P(z ≠ 0)). Ties are common at the
 * clamp, so the order is made total: of equal units the later index goes first. Sets that are not learnt
 * stay 1. `logAlpha` and the result are flat in the gate layout.
 */
export function deterministicMask(
  config: LlamaConfig,
  logAlpha: ArrayLike<number>,
  learnt: LearntSets,
  temperature: number,
  target: TargetShape | null,
): Float32Array {
  const layout = gateLayout(config);
  const units = target && targetUnits(config, target);
  const mask = new Float32Array(layout.total).fill(1);
  for (const set of GATE_SETS) {
    if (!learnt[set]) continue;
    const { offset, rows, length } = layout[set];
    for (let row = 0; row < rows; row++) {
      const start = offset + row * length;
      let open = 0;
      const values = Array.from({ length }, (_, i) => logAlpha[start + i]!);
      for (const value of values) open += 1 - probabilityOfZero(value, temperature);
      const zeros = units ? length - units[set] : Math.round(length - open);
      leastFirst(values).forEach((unit, rank) => {
        mask[start + unit] = rank < zeros ? 0 : softValue(values[unit]!, temperature);
      });
    }
  }
  return mask;
}

/** The same choice of units with everything that is kept at 1. */
export function closedOrOpen(mask: Float32Array): Float32Array {
  return mask.map((value) => (value === 0 ? 0 : 1));
}

/** Indices of the open gates of every row. */
export interface KeptUnits {
  hidden: number[];
  layers: number[];
  /** [layer of the source][kept key/value groups]; empty for a layer that goes. */
  heads: number[][];
  intermediate: number[][];
}

export function keptUnits(config: LlamaConfig, mask: ArrayLike<number>): KeptUnits {
  const layout = gateLayout(config);
  const open = (set: GateSet, row: number) => {
    const { offset, length } = layout[set];
    return Array.from({ length }, (_, i) => i).filter((i) => mask[offset + row * length + i] !== 0);
  };
  const layers = open('layer', 0);
  const rowsOfKept = (set: GateSet) =>
    Array.from({ length: config.numHiddenLayers }, (_, l) => (layers.includes(l) ? open(set, l) : []));
  return {
    hidden: open('hidden', 0),
    layers,
    heads: rowsOfKept('head'),
    intermediate: rowsOfKept('intermediate'),
  };
}

/**
 * How many kept units of each set have a gate that was nearly closed: σ(0.8·log α/β) below one half, which is
 * log α < 0, where P(z = 0) is larger than P(z = 1). The target kept them, not what was learnt. 0 for a set that is
 * not learnt; heads count as key/value groups. `logAlpha` is flat in the gate layout.
 */
export function nearlyDead(
  config: LlamaConfig,
  kept: KeptUnits,
  logAlpha: ArrayLike<number>,
  learnt: LearntSets,
): Record<GateSet, number> {
  const layout = gateLayout(config);
  const rows: Record<GateSet, number[][]> = {
    hidden: [kept.hidden],
    head: kept.heads,
    intermediate: kept.intermediate,
    layer: [kept.layers],
  };
  const count = (set: GateSet) =>
    rows[set].reduce((sum, units, row) => {
      const start = layout[set].offset + row * layout[set].length;
      return sum + units.filter((unit) => logAlpha[start + unit]! < 0).length;
    }, 0);
  return Object.fromEntries(GATE_SETS.map((set) => [set, learnt[set] ? count(set) : 0])) as Record<
    GateSet,
    number
  >;
}

/** The shape that a mask leaves, with heads and MLP units averaged over the kept layers and rounded. */
export function maskShape(config: LlamaConfig, mask: ArrayLike<number>): TargetShape {
  const kept = keptUnits(config, mask);
  const mean = (rows: number[][]) =>
    kept.layers.length === 0
      ? 0
      : Math.round(kept.layers.reduce((sum, l) => sum + rows[l]!.length, 0) / kept.layers.length);
  return {
    numHiddenLayers: kept.layers.length,
    hiddenSize: kept.hidden.length,
    numAttentionHeads: mean(kept.heads) * queryHeadsPerGroup(config),
    intermediateSize: mean(kept.intermediate),
  };
}
