import type { Uniforms } from '../gpu/uniforms';

/** Where one gate set lies in the flat gate buffer: `rows` rows of `length` gates, with no padding. */
export interface GateRegion {
  offset: number;
  rows: number;
  length: number;
}

/**
 * The gate sets of a model by number, one behind the other in the flat gate buffer. Expected sparsity is measured
 * row by row, and each set has one target, one λ1 and one λ2. What a set gates is the model's affair
 * (src/llama/gates.ts).
 */
export interface GateLayout {
  sets: readonly GateRegion[];
  /** Gates of all sets. */
  total: number;
}

/** Sets that the step's inputs, the constraint and the metrics have room for. */
export const MAX_GATE_SETS = 4;

/** Rows of all sets together. */
export function gateRowCount({ sets }: GateLayout): number {
  return sets.reduce((sum, { rows }) => sum + rows, 0);
}

/** The fields of `GateLayout` in the shaders. @throws on more than MAX_GATE_SETS sets. */
export function gateLayoutUniforms(layout: GateLayout): Uniforms {
  const { sets, total } = layout;
  if (sets.length > MAX_GATE_SETS) throw new Error(`${sets.length} gate sets, but room for ${MAX_GATE_SETS}`);
  const rowCount = gateRowCount(layout);
  // A set that is not there begins behind the last gate and the last row.
  const all = Array.from(
    { length: MAX_GATE_SETS },
    (_, k) => sets[k] ?? { offset: total, rows: 0, length: 1 },
  );
  const rowsBefore = (k: number) => all.slice(0, k).reduce((sum, { rows }) => sum + rows, 0);
  return {
    offsets: all.map(({ offset }) => offset),
    rows: all.map(({ rows }) => rows),
    lengths: all.map(({ length }) => length),
    firstRows: all.map((set, k) => (set.rows === 0 ? rowCount : rowsBefore(k))),
    total,
  };
}
