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

/**
 * The mask of zeros and ones that keeps exactly the target: of each row the units with the largest scores, pinned
 * ones before all and closed ones after all. Flat in the gate layout.
 *
 * @param layers scores of the layers; @param widths scores of the other sets
 */
export function maskOfScores(
  config: LlamaConfig,
  { layers, widths }: { layers: Scores; widths: Scores },
  { target, sets, pins, protectEnds }: MaskOptions,
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
    const { offset, rows, length } = layout[set];
    for (let row = 0; row < rows; row++) {
      const first = row * length;
      const order =
        set === 'layer'
          ? removalOrder(layers, protectEnds)
          : leastFirst(scoresOf(widths, set).subarray(first, first + length));
      const pin = (unit: number) => pinned.get(offset + first + unit);
      const byPin = [false, undefined, true].flatMap((state) => order.filter((unit) => pin(unit) === state));
      for (const unit of byPin.slice(0, length - units[set])) mask[offset + first + unit] = 0;
    }
  }
  return mask;
}

function scoresOf({ values }: Scores, set: (typeof GATE_SETS)[number]): Float64Array {
  const scores = values[set];
  if (!scores) throw new Error(`These scores say nothing of the set ${set}.`);
  return scores;
}
