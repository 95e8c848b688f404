import { sliceElements } from '../gpu/buffers';
import { constraint, CONSTRAINT_STATE_ELEMENTS, MULTIPLIER_COUNT } from '../kernels/constraint';
import { gateRowCount } from '../kernels/gate-layout';
import { sampleGates } from '../kernels/hard-concrete';
import { clampLogAlpha } from '../kernels/hard-concrete-distribution';
import { setSquares } from '../kernels/set-squares';
import type { LlamaConfig } from '../llama/config';
import { gateLayout } from '../llama/gates';
import type { ExtensionBuffers, TrainerExtension } from '../training/extension';
import type { Trainer } from '../training/trainer';

export interface LearntGatesOptions {
  /** Start value of log α, of all gates alike or of each, flat in the gate layout. λ₁ starts at 0. */
  logAlpha: number | Float32Array;
  /** Start value of every λ₂. */
  quadraticMultiplier: number;
  /** The gates of a set have one second moment in Adam, of the mean of their squared gradients. */
  sharedMoments?: boolean;
}

/**
 * Masks that are learnt with the weights (docs/method.md, sections 1 and 3): each step samples every gate from
 * its log α, and the Lagrangian of the expected sparsity joins the loss. Trains the tensors `logAlpha`
 * [gates] and `multipliers` [λ₁ of each set | λ₂ of each set].
 */
export function learntGates(config: LlamaConfig, options: LearntGatesOptions): TrainerExtension {
  const layout = gateLayout(config);
  const { logAlpha, quadraticMultiplier, sharedMoments = false } = options;
  return {
    tensors: [
      {
        name: 'logAlpha',
        values: typeof logAlpha === 'number' ? new Float32Array(layout.total).fill(logAlpha) : logAlpha,
      },
      {
        name: 'multipliers',
        values: new Float32Array(MULTIPLIER_COUNT).fill(quadraticMultiplier, MULTIPLIER_COUNT / 2),
      },
    ],
    buffers: [
      { name: 'constraint state', elements: CONSTRAINT_STATE_ELEMENTS },
      { name: 'row sparsity', elements: gateRowCount(layout) },
      ...(sharedMoments ? [{ name: 'squares', elements: layout.total }] : []),
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
      if (!sharedMoments) return;
      setSquares(recorder, {
        logAlpha: sliceElements(values, 0, layout.total),
        gradient,
        squares: slice('squares'),
        layout,
        label: 'squares of a set',
      });
    },
    ...(sharedMoments && { squares: ({ slice }: ExtensionBuffers) => slice('squares') }),
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
