import type { LlamaConfig, TargetShape } from '../../llama/config';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import { targetUnits, type LearntSets } from '../masks';
import { parsePin } from '../pins';
import type { Scores, UnitScores } from './criterion';

/**
 * First and last layers that the "+" heuristic keeps (Shortened LLaMA): four and two of 32, scaled to the depth, at
 * least one of each.
 */
export function protectedLayers(count: number): number[] {
  const first = Math.max(1, Math.round((count * 4) / 32));
  const last = Math.max(1, Math.round((count * 2) / 32));
  return Array.from({ length: count }, (_, l) => l).filter((l) => l < first || l >= count - last);
}

/**
 * Layers in the order in which they go: by `order`, or by score, of equal ones the later first. Protected layers come
 * last, among themselves in the same order.
 */
export function removalOrder(scores: Scores, protectEnds: boolean): number[] {
  const { layer } = scores.values;
  if (!layer) throw new Error('These scores say nothing of layers.');
  const order = scores.order ?? leastFirst(layer);
  if (!protectEnds) return order;
  const kept = protectedLayers(layer.length);
  return [...order.filter((l) => !kept.includes(l)), ...order.filter((l) => kept.includes(l))];
}

/** Indices in the order of their values; of equal ones the later comes first. */
function leastFirst(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || b - a);
}

/** By set and row: units in the order in which they go. */
export type RemovalOrders = Partial<Record<GateSet, number[][]>>;

/** The orders of all sets that are scored. */
export function removalOrders(
  config: LlamaConfig,
  { layers, widths }: UnitScores,
  protectEnds: boolean,
): RemovalOrders {
  const layout = gateLayout(config);
  const orders: RemovalOrders = {};
  for (const set of GATE_SETS) {
    const values = set === 'layer' ? layers.values[set] : widths.values[set];
    if (!values) continue;
    const { rows, length } = layout[set];
    orders[set] =
      set === 'layer'
        ? [removalOrder(layers, protectEnds)]
        : Array.from({ length: rows }, (_, row) =>
            leastFirst(values.subarray(row * length, (row + 1) * length)),
          );
  }
  return orders;
}

export interface MaskOptions {
  target: TargetShape;
  /** Sets that are cut; the others stay whole. */
  sets: LearntSets;
  pins: readonly string[];
}

/**
 * The mask of zeros and ones that keeps exactly the target: of each row the units that go last, pinned ones before
 * all and closed ones after all. Flat in the gate layout. A set without an order stays whole.
 */
export function maskOfOrders(
  config: LlamaConfig,
  orders: RemovalOrders,
  { target, sets, pins }: MaskOptions,
): Float32Array {
  const layout = gateLayout(config);
  const units = targetUnits(config, target);
  const pinned = new Map<number, boolean>();
  for (const { set, row, unit, kept } of pins.map(parsePin)) {
    pinned.set(layout[set].offset + row * layout[set].length + unit, kept);
  }
  const mask = new Float32Array(layout.total).fill(1);
  for (const set of GATE_SETS) {
    if (!sets[set]) continue;
    const { offset, length } = layout[set];
    orders[set]?.forEach((order, row) => {
      const first = offset + row * length;
      const byPin = [false, undefined, true].flatMap((state) =>
        order.filter((unit) => pinned.get(first + unit) === state),
      );
      for (const unit of byPin.slice(0, length - units[set])) mask[first + unit] = 0;
    });
  }
  return mask;
}

/** The mask that keeps the units with the largest scores (`maskOfOrders`). @throws when a set that is cut has none */
export function maskOfScores(
  config: LlamaConfig,
  scores: UnitScores,
  { protectEnds, ...options }: MaskOptions & { protectEnds: boolean },
): Float32Array {
  const orders = removalOrders(config, scores, protectEnds);
  for (const set of GATE_SETS) {
    if (options.sets[set] && !orders[set]) throw new Error(`These scores say nothing of the set ${set}.`);
  }
  return maskOfOrders(config, orders, options);
}
