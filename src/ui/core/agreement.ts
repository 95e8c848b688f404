import { type LlamaConfig, shapeOf } from '../../llama/config';
import type { GateSet } from '../../llama/gates';
import type { SurgeryEvent } from '../../run/events';
import { keptPlace } from './anatomy-layout';
import { unitsName } from './gate-sets';
import { findRun, type LabState } from './lab-state';
import { describeShape, type RunRecord } from './run-record';

type Kept = SurgeryEvent['kept'];
type Sizes = Pick<LlamaConfig, 'hiddenSize' | 'numHiddenLayers' | 'numKeyValueHeads' | 'intermediateSize'>;

/** Of a gate set: how many units two cuts of one shape both keep. */
export interface Agreement {
  set: GateSet;
  /** Layers that both keep, in which heads and MLP units are compared; 1 for the other sets. */
  rows: number;
  /** Units that each keeps in these rows. */
  kept: number;
  shared: number;
  /** What two random choices would share on average: Σ keeps² / size over the rows. */
  chance: number;
}

/** What two cuts of one shape have in common, by set; where nothing was cut there is no choice to compare. */
export function agreementOf(source: Sizes, a: Kept, b: Kept): Agreement[] {
  const layers = a.layers.filter((layer) => b.layers.includes(layer));
  const inLayers = (set: 'heads' | 'intermediate') =>
    layers.map((layer): Row => [a[set][keptPlace(a, layer)] ?? [], b[set][keptPlace(b, layer)] ?? []]);
  return [
    ...agreement('layer', source.numHiddenLayers, [[a.layers, b.layers]]),
    ...agreement('hidden', source.hiddenSize, [[a.hidden, b.hidden]]),
    ...agreement('head', source.numKeyValueHeads, inLayers('heads')),
    ...agreement('intermediate', source.intermediateSize, inLayers('intermediate')),
  ];
}

/** The units that either cut keeps of a row. */
type Row = readonly [readonly number[], readonly number[]];

function agreement(set: GateSet, size: number, rows: readonly Row[]): Agreement[] {
  const total = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const kept = total(([a]) => a.length);
  if (kept === rows.length * size) return [];
  const shared = total(([a, b]) => {
    const other = new Set(b);
    return a.filter((unit) => other.has(unit)).length;
  });
  return [{ set, rows: rows.length, kept, shared, chance: total(([a, b]) => (a.length * b.length) / size) }];
}

/**
 * "Also kept by run b: layers 3 of 4 (2.7 by chance), hidden dimensions 37 of 48 (36); in the 3 layers of both: head
 * groups 7 of 9 (6.8), MLP units 250 of 384 (256)."
 */
export function describeAgreement(run: RunRecord, other: RunRecord, name: string): string {
  if (!run.surgery || !other.surgery) return '';
  const found = agreementOf(run.started.source.config, run.surgery.kept, other.surgery.kept);
  if (found.length === 0) return '';
  const said = found.map(({ set, kept, shared, chance }, i) => {
    const expected = chance.toLocaleString('en', { maximumFractionDigits: 1 });
    const units = unitsName(set, kept, run.axes !== null);
    return { set, text: `${units} ${shared} of ${kept} (${expected}${i === 0 ? ' by chance' : ''})` };
  });
  const inLayers = (set: GateSet) => set === 'head' || set === 'intermediate';
  const listed = (of: typeof said) => of.map(({ text }) => text).join(', ');
  const whole = listed(said.filter(({ set }) => !inLayers(set)));
  const within = listed(said.filter(({ set }) => inLayers(set)));
  const layers = found.find(({ set }) => inLayers(set))?.rows ?? 0;
  const parts = [whole, within && `in the ${layers === 1 ? 'layer' : `${layers} layers`} of both: ${within}`];
  const own =
    run.axes && other.axes && String(run.axes.shares) !== String(other.axes.shares)
      ? ' Each run has axes of its own, matched by their place.'
      : '';
  return `Also kept by ${name}: ${parts.filter(Boolean).join('; ')}.${own}`;
}

/** Whether two runs chose among the same units, as many of each. */
function comparable(a: RunRecord, b: RunRecord): boolean {
  const [one, two] = [a.started.source, b.started.source];
  return (
    a.id !== b.id &&
    a.surgery !== null &&
    b.surgery !== null &&
    one.name === two.name &&
    one.weightsSha256 === two.weightsSha256 &&
    a.settings.basis === b.settings.basis &&
    describeShape(shapeOf(a.surgery.config)) === describeShape(shapeOf(b.surgery.config))
  );
}

/** The run that the shown one's cut can be compared with: the overlaid one, or another whose log is there. */
export function comparableRun(state: LabState): RunRecord | null {
  const shown = findRun(state, state.shownRun);
  if (!shown) return null;
  const overlaid = findRun(state, state.overlaidRun);
  const others = overlaid ? [overlaid, ...state.records] : state.records;
  return others.find((other) => comparable(shown, other)) ?? null;
}
