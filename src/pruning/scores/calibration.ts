import { evaluationBatch } from '../../llama/evaluate';
import type { BatchShape } from '../../llama/workspace';

/** Sequences of one length, as many as a pass takes at a time. */
export interface CalibrationBatch {
  /** [batch · context] token ids. */
  tokens: Uint32Array;
  shape: BatchShape;
}

/**
 * Calibration sequences as batches without padding: sequences of one length together, in batches of one size for each
 * length, so that few programs are recorded.
 */
export function calibrationBatches(sequences: readonly Uint32Array[]): CalibrationBatch[] {
  const byLength = new Map<number, Uint32Array[]>();
  for (const sequence of sequences) {
    const alike = byLength.get(sequence.length) ?? [];
    alike.push(sequence);
    byLength.set(sequence.length, alike);
  }
  return [...byLength].flatMap(([context, alike]) => {
    const batch = calibrationBatch(alike.length, context);
    return Array.from({ length: alike.length / batch }, (_, b) => {
      const tokens = new Uint32Array(batch * context);
      alike.slice(b * batch, (b + 1) * batch).forEach((sequence, i) => tokens.set(sequence, i * context));
      return { tokens, shape: { batch, context } };
    });
  });
}

/** Next tokens that a batch gives to predict. */
export function predictionsIn({ shape }: CalibrationBatch): number {
  return shape.batch * (shape.context - 1);
}

/** Sequences of one length that a pass takes at a time: as many as fit an evaluation and leave none over. */
export function calibrationBatch(sequences: number, length: number): number {
  for (let batch = Math.min(sequences, evaluationBatch(length)); batch > 1; batch--) {
    if (sequences % batch === 0) return batch;
  }
  return 1;
}
