import { sliceElements } from '../gpu/buffers';
import { constraint, CONSTRAINT_STATE_ELEMENTS, MULTIPLIER_COUNT } from '../kernels/constraint';
import { gateRowCount } from '../kernels/gate-layout';
import { sampleGates } from '../kernels/hard-concrete';
import { clampLogAlpha } from '../kernels/hard-concrete-distribution';
import type { LlamaConfig } from '../llama/config';
import { gateLayout } from '../llama/gates';
import type { TrainerExtension } from '../training/extension';
import type { Trainer } from '../training/trainer';

/** Start values of log α (of every gate, or of all alike) and of every λ₂; λ₁ starts at 0. */
export interface GateStart {
  logAlpha: number | Float32Array;
  quadraticMultiplier: number;
}

/**
 * Masks that are learnt with the weights (docs/method.md, sections 1 and 3): each step samples every gate from
 * its log α, and the Lagrangian of the expected sparsity joins the loss. Trains the tensors `logAlpha`
 * [gates] and `multipliers` [λ₁ of each set | λ₂ of each set].
 */
export function learntGates(config: LlamaConfig, start: GateStart): TrainerExtension {
  const layout = gateLayout(config);
  const { logAlpha } = start;
  return {
    tensors: [
      {
        name: 'logAlpha',
        values: typeof logAlpha === 'number' ? new Float32Array(layout.total).fill(logAlpha) : logAlpha,
      },
      {
        name: 'multipliers',
        values: new Float32Array(MULTIPLIER_COUNT).fill(start.quadraticMultiplier, MULTIPLIER_COUNT / 2),
      },
    ],
    buffers: [
      { name: 'constraint state', elements: CONSTRAINT_STATE_ELEMENTS },
      { name: 'row sparsity', elements: gateRowCount(layout) },
    ],
    recordBefore(recorder, { values, gates, step }) {
      const logAlpha = sliceElements(values, 0, layout.total);
      sampleGates(recorder, { logAlpha, gates, step, layout, label: 'sample gates' });
    },
    recordAfter(recorder, { values, gradient, gates, step, slice }) {
      constraint(recorder, {
        variables: values,
        gates,
        gradient,
        rowSparsity: slice('row sparsity'),
        state: slice('constraint state'),
        step,
        layout,
        label: 'constraint',
      });
    },
    metrics: ({ values, slice }) => ({
      state: slice('constraint state'),
      variables: values,
      gateCount: layout.total,
    }),
  };
}

/**
 * log α of every gate after the steps submitted so far; waits for the GPU. Clamped, since Adam may have moved it
 * past the clamp that the next step's sampling applies.
 */
export async function readLogAlpha(trainer: Pick<Trainer, 'read'>): Promise<Float32Array> {
  return (await trainer.read('logAlpha')).map(clampLogAlpha);
}
