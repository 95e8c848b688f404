import type { LlamaConfig, TargetShape } from '../../llama/config';
import { GATE_SETS, gateLayout } from '../../llama/gates';
import { keptUnits, targetUnits, type LearntSets } from '../masks';
import { parsePin, writePin } from '../pins';
import {
  criterion,
  layerCriteria,
  widthCriteria,
  type CriterionId,
  type LayerCriterionId,
  type WidthCriterionId,
} from '../scores';
import type { Scores } from '../scores/criterion';
import { maskOfScores, protectedLayers, removalOrder, type ScoreMaskOptions } from '../scores/mask';

/** What a mask follows from, besides the experiment: with the same scores it is the same mask. */
export interface Choice {
  layers: LayerCriterionId;
  widths: WidthCriterionId;
  /** Layers that are exchanged, as pins; the experiment's own pins go before them. */
  swaps: string[];
}

/** A mask that races for the cut. */
export interface Candidate extends Choice {
  /** Where it comes from, layers counted from 1: "Block Influence, layer 3 for 5 · Wanda-sp" keeps 3 in 5's place. */
  label: string;
  /** Zeros and ones, flat in the gate layout. */
  mask: Float32Array;
  /** Layers that it keeps, counted from 0. */
  keptLayers: number[];
}

/** Scores by criterion: of layers, and of the other sets. */
export interface ScoresBy {
  layers(id: LayerCriterionId): Promise<Scores>;
  widths(id: WidthCriterionId): Promise<Scores>;
}

/** The mask of a choice: the scores decide, then its swaps, then the experiment's pins. */
export function maskOfChoice(
  config: LlamaConfig,
  scores: { layers: Scores; widths: Scores },
  { swaps }: Pick<Choice, 'swaps'>,
  options: ScoreMaskOptions,
): Float32Array {
  // Of two pins of one unit the last decides.
  return maskOfScores(config, scores, { ...options, pins: [...swaps, ...options.pins] });
}

/**
 * The candidates of a race, `count` at most, without duplicates (masks that keep the same units are one), in the order
 * in which they are found: the experiment's own choice; other layer scores with its widths; its layers with other
 * widths; its choice with one layer exchanged, nearest in score first, then with two; all of these layers with other
 * widths. Scores that are `blind` are left out unless the experiment chose them. Scores are asked for only as far as
 * they are needed.
 */
export async function candidatePool(
  config: LlamaConfig,
  own: Pick<Choice, 'layers' | 'widths'>,
  scores: ScoresBy,
  options: ScoreMaskOptions,
  count: number,
): Promise<Candidate[]> {
  const pool: Candidate[] = [];
  const seen = new Set<string>();
  for await (const choice of choices(config, own, scores, options)) {
    const by = { layers: await scores.layers(choice.layers), widths: await scores.widths(choice.widths) };
    const mask = maskOfChoice(config, by, choice, options);
    const kept = keptUnits(config, mask);
    const key = JSON.stringify(kept);
    if (seen.has(key)) continue;
    seen.add(key);
    pool.push({ ...choice, label: labelOf(choice), mask, keptLayers: kept.layers });
    if (pool.length === count) break;
  }
  return pool;
}

async function* choices(
  config: LlamaConfig,
  own: Pick<Choice, 'layers' | 'widths'>,
  scores: ScoresBy,
  options: ScoreMaskOptions,
): AsyncGenerator<Choice> {
  const cut = setsThatLose(config, options);
  const others = <Id extends CriterionId>(
    criteria: readonly { id: Id; blind?: boolean }[],
    not: CriterionId,
  ) => criteria.filter(({ id, blind }) => id !== not && !blind).map(({ id }) => id);
  const otherLayers = cut.has('layer') ? others(layerCriteria, own.layers) : [];
  // Layers aside, one set that loses units is enough for another score to make a difference.
  const otherWidths = cut.size > (cut.has('layer') ? 1 : 0) ? others(widthCriteria, own.widths) : [];

  yield { ...own, swaps: [] };
  for (const layers of otherLayers) yield { ...own, layers, swaps: [] };
  for (const widths of otherWidths) yield { ...own, widths, swaps: [] };
  const exchanged = cut.has('layer')
    ? layerSwaps(await scores.layers(own.layers), config.numHiddenLayers, options)
    : [];
  for (const swaps of exchanged) yield { ...own, swaps };
  for (const layers of otherLayers) {
    for (const widths of otherWidths) yield { layers, widths, swaps: [] };
  }
  for (const swaps of exchanged) {
    for (const widths of otherWidths) yield { ...own, widths, swaps };
  }
}

/** The sets that the target takes units from. */
function setsThatLose(config: LlamaConfig, { target, sets }: { target: TargetShape; sets: LearntSets }) {
  const layout = gateLayout(config);
  const units = targetUnits(config, target);
  return new Set(GATE_SETS.filter((set) => sets[set] && units[set] < layout[set].length));
}

/**
 * Every exchange of one kept layer for one that goes, then of two for two, each as pins, in the order of the score that
 * it costs (of equal ones the one that is met first, in the order of removal). Pinned layers stay as they are, and
 * protected ones are not taken out.
 */
function layerSwaps(
  scores: Scores,
  count: number,
  { target, pins, protectEnds }: ScoreMaskOptions,
): string[][] {
  const pinned = new Map(
    pins
      .map(parsePin)
      .filter(({ set }) => set === 'layer')
      .map(({ unit, kept }) => [unit, kept]),
  );
  const order = removalOrder(scores, protectEnds);
  // As the mask has it: closed by hand first, kept by hand last.
  const byPin = [false, undefined, true].flatMap((state) => order.filter((l) => pinned.get(l) === state));
  const removed = count - target.numHiddenLayers;
  const fixed = new Set([...pinned.keys(), ...(protectEnds ? protectedLayers(count) : [])]);
  const going = byPin.slice(0, removed).filter((l) => !pinned.has(l));
  const staying = byPin.slice(removed).filter((l) => !fixed.has(l));
  const score = (layers: readonly number[]) => layers.reduce((sum, l) => sum + scores.values.layer![l]!, 0);
  const exchanges = (size: 1 | 2) =>
    groups(staying, size)
      .flatMap((out) => groups(going, size).map((into) => ({ into, out, costs: score(out) - score(into) })))
      .sort((a, b) => a.costs - b.costs);
  const pin = (kept: boolean) => (unit: number) => writePin({ set: 'layer', row: 0, unit, kept });
  return [...exchanges(1), ...exchanges(2)].map(({ into, out }) => [
    ...into.map(pin(true)),
    ...out.map(pin(false)),
  ]);
}

function groups(items: readonly number[], size: 1 | 2): number[][] {
  if (size === 1) return items.map((item) => [item]);
  return items.flatMap((first, i) => items.slice(i + 1).map((second) => [first, second]));
}

function labelOf({ layers, widths, swaps }: Choice): string {
  const counted = (kept: boolean) =>
    swaps
      .map(parsePin)
      .filter((pin) => pin.kept === kept)
      .map(({ unit }) => unit + 1)
      .sort((a, b) => a - b)
      .join(' and ');
  const swapped = swaps.length
    ? `, layer${swaps.length > 2 ? 's' : ''} ${counted(true)} for ${counted(false)}`
    : '';
  return `${criterion(layers).label}${swapped} · ${criterion(widths).label}`;
}
