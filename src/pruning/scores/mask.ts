import type { LlamaConfig, TargetShape } from '../../llama/config';
import { GATE_SETS, gateLayout } from '../../llama/gates';
import { targetUnits, type LearntSets } from '../masks';
import { parsePin } from '../pins';
import type { Scores } from './criterion';

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

export interface MaskOptions {
  target: TargetShape;
  /** Sets that are cut; the others stay whole. */
  sets: LearntSets;
  pins: readonly string[];
  protectEnds: boolean;
}

/** Scores of the layers, and of the other sets. */
export interface ScoresOfAll {
  layers: Scores;
  widths: Scores;
}

/** One row of a set that is cut, its units in the order in which they go. */
interface OrderedRow {
  /** Of its first gate in the gate layout. */
  start: number;
  /** Units of the row, the first that goes first: those pinned closed, the others by score, those pinned open. */
  order: number[];
  /** How many of them the target leaves out. */
  closed: number;
}

/** Every row of the sets that are cut. @throws when the scores say nothing of one of these sets */
export function orderedRows(
  config: LlamaConfig,
  { layers, widths }: ScoresOfAll,
  { target, sets, pins, protectEnds }: MaskOptions,
): OrderedRow[] {
  const layout = gateLayout(config);
  const units = targetUnits(config, target);
  const pinned = new Map<number, boolean>();
  for (const { set, row, unit, kept } of pins.map(parsePin)) {
    pinned.set(layout[set].offset + row * layout[set].length + unit, kept);
  }
  return GATE_SETS.filter((set) => sets[set]).flatMap((set) => {
    const { offset, rows, length } = layout[set];
    return Array.from({ length: rows }, (_, row) => {
      const first = row * length;
      const order =
        set === 'layer'
          ? removalOrder(layers, protectEnds)
          : leastFirst(scoresOf(widths, set).subarray(first, first + length));
      const pin = (unit: number) => pinned.get(offset + first + unit);
      return {
        start: offset + first,
        order: [false, undefined, true].flatMap((state) => order.filter((unit) => pin(unit) === state)),
        closed: length - units[set],
      };
    });
  });
}

/**
 * The mask of zeros and ones that keeps exactly the target: of each row the units with the largest scores, pinned
 * ones before all and closed ones after all. Flat in the gate layout.
 */
export function maskOfScores(config: LlamaConfig, scores: ScoresOfAll, options: MaskOptions): Float32Array {
  const mask = new Float32Array(gateLayout(config).total).fill(1);
  for (const { start, order, closed } of orderedRows(config, scores, options)) {
    for (const unit of order.slice(0, closed)) mask[start + unit] = 0;
  }
  return mask;
}

function scoresOf({ values }: Scores, set: (typeof GATE_SETS)[number]): Float64Array {
  const scores = values[set];
  if (!scores) throw new Error(`These scores say nothing of the set ${set}.`);
  return scores;
}
