import source from '../../shaders/constraint.wgsl?raw';
import layoutSource from '../../shaders/gate_layout.wgsl?raw';
import stepInputsSource from '../../shaders/step_inputs.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';
import { gateLayoutUniforms, gateRowCount, MAX_GATE_SETS, type GateLayout } from './gate-layout';

const code = `${stepInputsSource}\n${layoutSource}\n${source}`;

const constraintRowsKernel: Kernel = { name: 'constraint', code, entryPoint: 'constraint_rows' };

const constraintGradientKernel: Kernel = {
  name: 'constraint',
  code,
  entryPoint: 'constraint_gradient',
};

/**
 * Words of the constraint's state: the mean expected sparsity of each set, then each set's
 * Lagrangian term. Both are 0 for a set that is not learnt.
 */
export const CONSTRAINT_STATE_ELEMENTS = 2 * MAX_GATE_SETS;

/** λ1 of each set, then λ2 of each, right behind the logα. */
export const MULTIPLIER_COUNT = 2 * MAX_GATE_SETS;

export interface ConstraintOptions {
  /** logα of every gate, then λ1 ×4, then λ2 ×4: [layout.total + 8], trained like the weights. Read only. */
  variables: Slice;
  /** This step's sampled z [layout.total]. */
  gates: Slice;
  /**
   * [layout.total + 8], the same place in the gradients. On entry its first layout.total elements hold ∂loss/∂z
   * (`gateGradient`); on exit they hold ∂(loss + Lagrangian)/∂logα, and the last eight the multipliers'
   * gradients with the sign flipped, for ascent by a minimiser. Another buffer than that of `variables`.
   */
  gradient: Slice;
  /** Scratch and result [gateRowCount]: expected sparsity of each row, set after set. */
  rowSparsity: Slice;
  /** [CONSTRAINT_STATE_ELEMENTS], written. */
  state: Slice;
  /** Uniform buffer packed by `packStepInputs`: temperature, active sets and targets are read. */
  step: Slice;
  layout: GateLayout;
  label: string;
}

/** The Lagrangian's value and gradients; equations in shaders/constraint.wgsl. Two dispatches. */
export function constraint(recorder: Recorder, options: ConstraintOptions): void {
  const { variables, gates, gradient, rowSparsity, state, step, layout, label } = options;
  const uniforms = gateLayoutUniforms(layout);
  recorder.dispatch({
    kernel: constraintRowsKernel,
    label: `${label} rows`,
    uniforms,
    bindings: [step, variables, rowSparsity],
    workgroups: [gateRowCount(layout)],
    work: { flops: 4 * layout.total, bytes: 4 * layout.total },
  });
  recorder.dispatch({
    kernel: constraintGradientKernel,
    label: `${label} gradient`,
    uniforms,
    bindings: [step, variables, rowSparsity, gates, gradient, state],
    workgroups: foldWorkgroups(Math.ceil((layout.total + MAX_GATE_SETS) / 64)),
    work: { flops: 12 * layout.total, bytes: 4 * 4 * layout.total },
  });
}
