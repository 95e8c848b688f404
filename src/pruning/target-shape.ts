import type { GateSet } from '../llama/gates';
import { queryHeadsPerGroup, shapeOf, type LlamaConfig, type TargetShape } from '../llama/config';

export type TargetField = keyof TargetShape;

/** Which gate set reaches which dimension of the target. */
export const GATE_SET_OF: Readonly<Record<TargetField, GateSet>> = {
  numHiddenLayers: 'layer',
  hiddenSize: 'hidden',
  numAttentionHeads: 'head',
  intermediateSize: 'intermediate',
};

export const TARGET_FIELDS = Object.keys(GATE_SET_OF) as readonly TargetField[];

export interface TargetProblem {
  field: TargetField;
  /** One sentence that names the experiment's field and what it must be. */
  message: string;
}

/** Which gate sets are learnt; a set that is not keeps the source's size. */
export type ActiveGates = Readonly<Record<GateSet, boolean>>;

/** The values that a dimension may take, and the coarser ones that a slider stops at. */
export interface LegalSteps {
  min: number;
  max: number;
  /** A legal value is a multiple of this. */
  multiple: number;
  /** Start and step of a slider whose last stop is `max`. */
  slider: { min: number; step: number };
}

/** A slider has about this many stops. */
const SLIDER_STOPS = 24;

function multipleOf(source: LlamaConfig, field: TargetField): number {
  return field === 'numAttentionHeads' ? queryHeadsPerGroup(source) : 1;
}

/** What each dimension may be, given the source: whole groups of heads, at least one unit, never above it. */
export function legalSteps(source: LlamaConfig): Record<TargetField, LegalSteps> {
  const stepsOf = (field: TargetField): LegalSteps => {
    const max = source[field];
    const multiple = multipleOf(source, field);
    // A power of two looks natural on widths, which are multiples of high powers of two.
    const step = multiple * 2 ** Math.max(0, Math.floor(Math.log2(max / multiple / SLIDER_STOPS)));
    return { min: multiple, max, multiple, slider: { min: max % step || step, step } };
  };
  return {
    numHiddenLayers: stepsOf('numHiddenLayers'),
    hiddenSize: stepsOf('hiddenSize'),
    numAttentionHeads: stepsOf('numAttentionHeads'),
    intermediateSize: stepsOf('intermediateSize'),
  };
}

/** Everything that keeps `source` from being cut to `target`; an empty list means that it can be. */
export function checkTarget(source: LlamaConfig, target: TargetShape, gates: ActiveGates): TargetProblem[] {
  const problems: TargetProblem[] = [];
  for (const field of TARGET_FIELDS) {
    const value = target[field];
    const most = source[field];
    const multiple = multipleOf(source, field);
    const set = GATE_SET_OF[field];
    const must = (rule: string) =>
      problems.push({ field, message: `target.${field} (${value}) must ${rule}.` });
    if (!Number.isInteger(value) || value < 1) must(`be a whole number from ${multiple} to ${most}`);
    else if (value > most) must(`be at most ${most}, as the source has no more`);
    else if (value % multiple !== 0) {
      must(
        `be a multiple of ${multiple}, because so many query heads share one key/value head of the source`,
      );
    } else if (!gates[set] && value !== most) {
      must(`stay ${most} as in the source, or gates.${set} must be on`);
    }
  }
  return problems;
}

/** The legal target nearest to `target`: rounded, within the source, the source's size where gates are off. */
export function nearestLegalTarget(
  source: LlamaConfig,
  target: TargetShape,
  gates: ActiveGates,
): TargetShape {
  const nearest = shapeOf(source);
  for (const field of TARGET_FIELDS) {
    if (!gates[GATE_SET_OF[field]] || Number.isNaN(target[field])) continue;
    const multiple = multipleOf(source, field);
    const rounded = Math.round(target[field] / multiple) * multiple;
    nearest[field] = Math.min(Math.max(rounded, multiple), source[field]);
  }
  return nearest;
}

/** Published shapes (Sheared LLaMA, table 8): LLaMA 2 7B and what was cut from it. */
export const SHEARED_SHAPES = {
  source: { numHiddenLayers: 32, hiddenSize: 4096, numAttentionHeads: 32, intermediateSize: 11008 },
  '2.7B': { numHiddenLayers: 32, hiddenSize: 2560, numAttentionHeads: 20, intermediateSize: 6912 },
  '1.3B': { numHiddenLayers: 24, hiddenSize: 2048, numAttentionHeads: 16, intermediateSize: 5504 },
  '370M': { numHiddenLayers: 24, hiddenSize: 1024, numAttentionHeads: 8, intermediateSize: 2816 },
} as const satisfies Record<string, TargetShape>;

export interface TargetPreset {
  id: string;
  /** Follows "Make it …" in a sentence. */
  label: string;
  /** Legal for every source as long as all gate sets are on. */
  target(source: LlamaConfig): TargetShape;
}

const ALL_GATES: ActiveGates = { hidden: true, head: true, intermediate: true, layer: true };

/** The legal target with these shares of the source's dimensions; a dimension left out stays. */
function shareOf(source: LlamaConfig, share: Partial<TargetShape>): TargetShape {
  const shape = shapeOf(source);
  for (const field of TARGET_FIELDS) shape[field] *= share[field] ?? 1;
  return nearestLegalTarget(source, shape, ALL_GATES);
}

function shares(id: string, label: string, share: Partial<TargetShape>): TargetPreset {
  return { id, label, target: (source) => shareOf(source, share) };
}

/** What is offered with a source model at first: of nano, the target in the table of fields. */
export function defaultTarget(source: LlamaConfig): TargetShape {
  return shareOf(source, {
    numHiddenLayers: 2 / 3,
    hiddenSize: 3 / 4,
    numAttentionHeads: 3 / 4,
    intermediateSize: 2 / 3,
  });
}

function sheared(name: '2.7B' | '1.3B' | '370M'): TargetPreset {
  const share = { ...SHEARED_SHAPES[name] } as TargetShape;
  for (const field of TARGET_FIELDS) share[field] /= SHEARED_SHAPES.source[field];
  return shares(`sheared-${name.toLowerCase()}`, `Sheared ${name}’s proportions`, share);
}

/** Targets worth a click, from mild to severe within each kind. */
export const TARGET_PRESETS: readonly TargetPreset[] = [
  shares('half-width', 'half the width', { hiddenSize: 0.5, numAttentionHeads: 0.5, intermediateSize: 0.5 }),
  {
    id: 'two-layers-fewer',
    label: 'two layers fewer',
    target: (source) =>
      nearestLegalTarget(
        source,
        { ...shapeOf(source), numHiddenLayers: source.numHiddenLayers - 2 },
        ALL_GATES,
      ),
  },
  shares('half-layers', 'half the layers', { numHiddenLayers: 0.5 }),
  shares('half-mlp', 'half the MLP', { intermediateSize: 0.5 }),
  shares('half-heads', 'half the heads', { numAttentionHeads: 0.5 }),
  sheared('2.7B'),
  sheared('1.3B'),
  sheared('370M'),
];
