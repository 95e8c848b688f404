import type { GateLayout } from './gate-layout';
import { hardConcreteSlope, probabilityOfZero, probabilityOfZeroSlope } from './hard-concrete-distribution';

/**
 * The Lagrangian constraint in float64: what the kernel is tested against and what the pruning policy computes
 * on the CPU. Source: Sheared LLaMA (arXiv 2310.06694) §2.1 eq. 1–2 in the form of its code, `l0_module.py` of
 * princeton-nlp/LLM-Shearing l. 475–506 (fractions instead of counts, the mean over rows instead of the sum).
 */

/** ŝ of a row: the mean of P(z = 0) over its gates (l. 126–129, `1 − Σ score / length`). */
export function expectedSparsity(logAlphaRow: ArrayLike<number>, temperature: number): number {
  let sum = 0;
  for (let i = 0; i < logAlphaRow.length; i++) sum += probabilityOfZero(logAlphaRow[i]!, temperature);
  return sum / logAlphaRow.length;
}

export interface LagrangianTerm {
  /** mean over rows of λ1·(ŝ − t) + λ2·(ŝ − t)²; may be negative. */
  value: number;
  /** ∂value/∂ŝ of each row. */
  bySparsity: number[];
  /** ∂value/∂λ1 and ∂value/∂λ2, not flipped. */
  byLambda1: number;
  byLambda2: number;
}

/** One gate set's Lagrangian term from the expected sparsities of its rows and the target t. */
export function lagrangianTerm(
  rowSparsities: readonly number[],
  target: number,
  lambda1: number,
  lambda2: number,
): LagrangianTerm {
  const rows = rowSparsities.length;
  const excess = rowSparsities.map((s) => s - target);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / rows;
  return {
    value: mean(excess.map((e) => lambda1 * e + lambda2 * e * e)),
    bySparsity: excess.map((e) => (lambda1 + 2 * lambda2 * e) / rows),
    byLambda1: mean(excess),
    byLambda2: mean(excess.map((e) => e * e)),
  };
}

export interface ConstraintInputs {
  /** logα | λ1 ×4 | λ2 ×4 */
  variables: ArrayLike<number>;
  /** Sampled gates and ∂loss/∂z, laid out as the gates. */
  z: ArrayLike<number>;
  dz: ArrayLike<number>;
  layout: GateLayout;
  temperature: number;
  /** By set, as StepInputs has them. */
  activeSets: number;
  targets: readonly number[];
}

/** Everything `constraint` writes: see there for the meaning of each. */
export function constraintReference(inputs: ConstraintInputs): {
  rowSparsity: number[];
  gradient: Float64Array;
  sparsity: number[];
  lagrangian: number[];
} {
  const { variables, z, dz, layout, temperature, activeSets, targets } = inputs;
  const gradient = new Float64Array(layout.total + 8);
  const rowSparsity: number[] = [];
  const sparsity: number[] = [];
  const lagrangian: number[] = [];
  layout.sets.forEach(({ offset, rows, length }, k) => {
    if (((activeSets >> k) & 1) === 0) {
      for (let r = 0; r < rows; r++) rowSparsity.push(0);
      sparsity.push(0);
      lagrangian.push(0);
      return;
    }
    const row = (r: number) => Array.from({ length }, (_, i) => variables[offset + r * length + i]!);
    const sparsities = Array.from({ length: rows }, (_, r) => expectedSparsity(row(r), temperature));
    const term = lagrangianTerm(
      sparsities,
      targets[k]!,
      variables[layout.total + k]!,
      variables[layout.total + 4 + k]!,
    );
    for (let r = 0; r < rows; r++) {
      for (let i = offset + r * length; i < offset + (r + 1) * length; i++) {
        gradient[i] =
          dz[i]! * hardConcreteSlope(z[i]!, temperature) +
          (term.bySparsity[r]! * probabilityOfZeroSlope(variables[i]!, temperature)) / length;
      }
    }
    gradient[layout.total + k] = -term.byLambda1;
    gradient[layout.total + 4 + k] = -term.byLambda2;
    rowSparsity.push(...sparsities);
    sparsity.push(sparsities.reduce((a, b) => a + b, 0) / rows);
    lagrangian.push(term.value);
  });
  return { rowSparsity, gradient, sparsity, lagrangian };
}
