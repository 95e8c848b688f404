import type { LlamaConfig, TargetShape } from '../../llama/config';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import { leastFirst, targetUnits, type LearntSets } from '../masks';
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

/** What scores, too, are asked with. */
export interface ScoreMaskOptions extends MaskOptions {
  /** The first and last layers go last (`protectedLayers`). */
  protectEnds: boolean;
}

/** One row of a set that is cut, its units in the order in which they go. */
interface OrderedRow {
  /** Of its first gate in the gate layout. */
  start: number;
  /** Units of the row: those pinned closed, the others by score, those pinned open. */
  order: number[];
  /** How many of them the target leaves out. */
  closed: number;
}

/** Every row of the sets that are cut and have an order. */
export function orderedRows(
  config: LlamaConfig,
  orders: RemovalOrders,
  { target, sets, pins }: MaskOptions,
): OrderedRow[] {
  const layout = gateLayout(config);
  const units = targetUnits(config, target);
  const pinned = new Map<number, boolean>();
  for (const { set, row, unit, kept } of pins.map(parsePin)) {
    pinned.set(layout[set].offset + row * layout[set].length + unit, kept);
  }
  return GATE_SETS.filter((set) => sets[set]).flatMap((set) => {
    const { offset, length } = layout[set];
    return (orders[set] ?? []).map((order, row) => {
      const start = offset + row * length;
      const byPin = [false, undefined, true].flatMap((state) =>
        order.filter((unit) => pinned.get(start + unit) === state),
      );
      return { start, order: byPin, closed: length - units[set] };
    });
  });
}

/**
 * The mask of zeros and ones that keeps exactly the target: of each row the units that go last, pinned ones before
 * all and closed ones after all. Flat in the gate layout. A set without an order stays whole.
 */
export function maskOfOrders(config: LlamaConfig, orders: RemovalOrders, options: MaskOptions): Float32Array {
  const mask = new Float32Array(gateLayout(config).total).fill(1);
  for (const { start, order, closed } of orderedRows(config, orders, options)) {
    for (const unit of order.slice(0, closed)) mask[start + unit] = 0;
  }
  return mask;
}

/** The orders of every set that is cut. @throws when the scores say nothing of one */
export function ordersOfScores(
  config: LlamaConfig,
  scores: UnitScores,
  { sets, protectEnds }: Pick<ScoreMaskOptions, 'sets' | 'protectEnds'>,
): RemovalOrders {
  const orders = removalOrders(config, scores, protectEnds);
  for (const set of GATE_SETS) {
    if (sets[set] && !orders[set]) throw new Error(`These scores say nothing of the set ${set}.`);
  }
  return orders;
}

/** The mask that keeps the units with the largest scores (`maskOfOrders`). @throws when a set that is cut has none */
export function maskOfScores(
  config: LlamaConfig,
  scores: UnitScores,
  options: ScoreMaskOptions,
): Float32Array {
  return maskOfOrders(config, ordersOfScores(config, scores, options), options);
}
