import type { LlamaConfig } from '../../llama/config';
import { GATE_SETS, gateLayout, type GateSet } from '../../llama/gates';
import type { Scores } from '../../pruning/scores/criterion';
import type { RemovalOrders } from '../../pruning/scores/mask';
import { gateRows, type GateRows } from '../../run/gate-rows';
import { formatNumber, ordinal } from './format';
import { namePlace, type Place } from './pinned-units';

/** Scores of a model's units as the anatomy shows them: flat in the gate layout. */
export interface Importance {
  config: LlamaConfig;
  /** NaN where a set is not scored. */
  scores: Float64Array;
  /** Ranks within a unit's row, 1 for the one that goes last; 0 where a set is not scored. */
  ranks: Uint32Array;
  /** The ranks as shades, 255 for the first of its row: values of a row may lie decades apart. */
  shades: GateRows;
}

/** Without scores: of a model that nobody scored yet. */
export function importanceOf(
  config: LlamaConfig,
  { values }: Scores = { values: {} },
  orders: RemovalOrders = {},
): Importance {
  const layout = gateLayout(config);
  const scores = new Float64Array(layout.total).fill(Number.NaN);
  const ranks = new Uint32Array(layout.total);
  const shades = new Uint8Array(layout.total);
  for (const set of GATE_SETS) {
    const { offset, length } = layout[set];
    const list = values[set];
    if (list) scores.set(list, offset);
    orders[set]?.forEach((order, row) =>
      order.forEach((unit, gone) => {
        const index = offset + row * length + unit;
        ranks[index] = length - gone;
        shades[index] = length === 1 ? 255 : Math.round((255 * gone) / (length - 1));
      }),
    );
  }
  return { config, scores, ranks, shades: gateRows(config, { type: 'gates', step: 0, values: shades }) };
}

/** What would become of the units at a target: a mask, flat in the gate layout; null: no such target. */
export type Outcome = ArrayLike<number> | null;

/** "Head 2 of layer 3: 0.0421, 3rd of 4; goes" */
export function describeImportance(importance: Importance | null, outcome: Outcome, place: Place): string {
  const name = namePlace(place);
  if (!importance) return `${name}: not scored`;
  const { config, scores, ranks } = importance;
  const { set, row, from, to } = place;
  const layout = gateLayout(config);
  const { offset, length } = layout[set];
  const first = offset + row * length;
  if (ranks[first + from] === 0) return `${name}: not scored`;
  const fate = outcome && describeFate(config, outcome, place);
  const end = fate ? `; ${fate}` : '';
  if (from === to) {
    const index = first + from;
    return `${name}: ${formatNumber(scores[index]!)}, ${ordinal(ranks[index]!)} of ${length}${end}`;
  }
  const [least, most] = extremes(scores, first + from, first + to);
  const [best, worst] = extremes(ranks, first + from, first + to);
  return `${name}: ${formatNumber(least)} to ${formatNumber(most)}, ${ordinal(best)} to ${ordinal(worst)} of ${length}${end}`;
}

function describeFate(config: LlamaConfig, mask: ArrayLike<number>, { set, row, from, to }: Place): string {
  const layout = gateLayout(config);
  const inLayer = set === 'head' || set === 'intermediate';
  if (inLayer && mask[layout.layer.offset + row] === 0) {
    return from === to ? 'goes with its layer' : 'go with their layer';
  }
  const first = layout[set].offset + row * layout[set].length;
  const stay = countOpen(mask, first + from, first + to);
  if (from === to) return stay ? 'stays' : 'goes';
  return `${stay} of ${to - from + 1} stay`;
}

/** A layer, or with null the hidden dimensions, in numbers: the same as the drawing, for the table. */
export interface ImportanceRow {
  layer: number | null;
  /** Empty for the hidden dimensions, and where layers are not scored. */
  score: string;
  /** "2nd of 6; goes" */
  rank: string;
  heads: string;
  units: string;
}

export function importanceRows(importance: Importance, outcome: Outcome): ImportanceRow[] {
  const { config, scores, ranks } = importance;
  const layout = gateLayout(config);
  const summary = (set: GateSet, row: number) => {
    const { offset, length } = layout[set];
    const first = offset + row * length;
    if (ranks[first] === 0) return 'not scored';
    const stay = outcome && `${countOpen(outcome, first, first + length - 1)} of ${length} stay`;
    const [least, most] = extremes(scores, first, first + length - 1);
    return [stay, `${formatNumber(least)} to ${formatNumber(most)}`].filter(Boolean).join(', ');
  };
  const layers = Array.from({ length: config.numHiddenLayers }, (_, layer): ImportanceRow => {
    const index = layout.layer.offset + layer;
    const scored = ranks[index] !== 0;
    const goes = outcome?.[index] === 0;
    return {
      layer,
      score: scored ? formatNumber(scores[index]!) : '',
      rank: [
        scored ? `${ordinal(ranks[index]!)} of ${config.numHiddenLayers}` : 'not scored',
        outcome && (goes ? 'goes' : 'stays'),
      ]
        .filter(Boolean)
        .join('; '),
      heads: goes ? '–' : summary('head', layer),
      units: goes ? '–' : summary('intermediate', layer),
    };
  });
  return [{ layer: null, score: '', rank: summary('hidden', 0), heads: '', units: '' }, ...layers];
}

function countOpen(mask: ArrayLike<number>, from: number, to: number): number {
  let open = 0;
  for (let i = from; i <= to; i++) if (mask[i] !== 0) open++;
  return open;
}

function extremes(values: ArrayLike<number>, from: number, to: number): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (let i = from; i <= to; i++) {
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  return [least, most];
}
