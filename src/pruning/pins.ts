import { PINNED_LOG_ALPHA } from '../kernels/hard-concrete-distribution';
import type { LlamaConfig, TargetShape } from '../llama/config';
import { GATE_SETS, gateLayout, type GateSet } from '../llama/gates';
import type { Trainer } from '../training/trainer';
import { targetUnits, type LearntSets } from './masks';

/** A unit that is closed or kept by hand, whatever is learnt. */
export interface Pin {
  set: GateSet;
  /** Layer of a head or an MLP unit; 0 for hidden dimensions and layers. */
  row: number;
  unit: number;
  kept: boolean;
}

const SETS: Record<string, GateSet> = { d: 'hidden', a: 'head', m: 'intermediate', l: 'layer' };
const LETTERS = Object.fromEntries(Object.entries(SETS).map(([letter, set]) => [set, letter])) as Record<
  GateSet,
  string
>;
const NAMES: Record<GateSet, string> = {
  hidden: 'hidden dimensions',
  head: 'attention heads',
  intermediate: 'MLP units',
  layer: 'layers',
};

/** Reads a pin as an experiment has it: `d5-`, `a2.1-`, `m0.17!`, `l3!` (src/fields/field.ts). */
export function parsePin(text: string): Pin {
  const [, letter, first, second, sign] = /^([daml])(\d+)(?:\.(\d+))?([!-])$/.exec(text) ?? [];
  const set = SETS[letter ?? ''];
  if (!set) throw new Error(`Pins (pins): “${text}” names no unit.`);
  const [row, unit] = second === undefined ? [0, Number(first)] : [Number(first), Number(second)];
  return { set, row, unit, kept: sign === '!' };
}

export function writePin({ set, row, unit, kept }: Pin): string {
  const place = set === 'head' || set === 'intermediate' ? `${row}.${unit}` : String(unit);
  return `${LETTERS[set]}${place}${kept ? '!' : '-'}`;
}

/**
 * The fewest pins with which this mask is the only one at its own shape: of each row the units that go, or those that
 * stay, whichever are fewer. Rows of layers that go are left alone, as nothing is left of them.
 */
export function pinsOfMask(config: LlamaConfig, mask: ArrayLike<number>, sets: LearntSets): string[] {
  const layout = gateLayout(config);
  const pins: string[] = [];
  for (const set of GATE_SETS) {
    const { offset, rows, length } = layout[set];
    if (!sets[set]) continue;
    for (let row = 0; row < rows; row++) {
      const ofLayer = set === 'head' || set === 'intermediate';
      if (ofLayer && mask[layout.layer.offset + row] === 0) continue;
      const open = Array.from({ length }, (_, unit) => mask[offset + row * length + unit] !== 0);
      const stay = open.filter(Boolean).length;
      if (stay === length) continue;
      const kept = stay > 0 && stay < length - stay;
      open.forEach((isOpen, unit) => {
        if (isOpen === kept) pins.push(writePin({ set, row, unit, kept }));
      });
    }
  }
  return pins;
}

/**
 * Why these pins do not fit the model and its target, in one sentence; null when they do. Each row of a set keeps
 * as many units as the target says: no more can be kept, and no more closed than go.
 */
export function pinProblem(
  config: LlamaConfig,
  pins: readonly string[],
  target: TargetShape,
  learnt: LearntSets,
): string | null {
  const layout = gateLayout(config);
  const units = targetUnits(config, target);
  const counts = new Map<string, { kept: number; closed: number }>();
  for (const text of pins) {
    const { set, row, unit, kept } = parsePin(text);
    const { rows, length } = layout[set];
    if (row >= rows || unit >= length) return `Pins (pins): the model has no unit ${text.slice(0, -1)}.`;
    if (!learnt[set]) {
      return `Pins (pins): ${text} cannot be pinned, since all ${NAMES[set]} stay (gates.${set} is off).`;
    }
    const count = counts.get(`${set}${row}`) ?? { kept: 0, closed: 0 };
    if (kept) count.kept++;
    else count.closed++;
    counts.set(`${set}${row}`, count);
    const where = rows > 1 ? ` in layer ${row + 1}` : '';
    if (count.kept > units[set]) {
      return `Pins (pins): ${count.kept} ${NAMES[set]} are kept by hand${where}, more than the ${units[set]} of the target.`;
    }
    if (count.closed > length - units[set]) {
      return `Pins (pins): ${count.closed} ${NAMES[set]} are closed by hand${where}, more than the ${length - units[set]} that the target leaves out.`;
    }
  }
  return null;
}

/**
 * Changes the pins of gates in training, with nothing in flight: a pinned gate gets a logα out of reach, one that
 * is let go starts again from `logAlpha`; what Adam knew of either is forgotten.
 */
export async function changePins(
  trainer: Pick<Trainer, 'read' | 'write'>,
  config: LlamaConfig,
  { before, after, logAlpha }: { before: readonly string[]; after: readonly string[]; logAlpha: number },
): Promise<void> {
  const layout = gateLayout(config);
  const changes = new Map<number, number>();
  const indexOf = ({ set, row, unit }: Pin) => layout[set].offset + row * layout[set].length + unit;
  for (const text of before) if (!after.includes(text)) changes.set(indexOf(parsePin(text)), logAlpha);
  for (const text of after) {
    if (before.includes(text)) continue;
    const pin = parsePin(text);
    changes.set(indexOf(pin), pin.kept ? PINNED_LOG_ALPHA : -PINNED_LOG_ALPHA);
  }
  if (changes.size === 0) return;
  for (const name of ['logAlpha', 'logAlpha.firstMoment', 'logAlpha.secondMoment']) {
    const values = await trainer.read(name);
    for (const [index, value] of changes) values[index] = name === 'logAlpha' ? value : 0;
    trainer.write(name, values);
  }
}
