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
    const batch = largestDivisor(alike.length, evaluationBatch(context));
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

function largestDivisor(count: number, most: number): number {
  for (let divisor = Math.min(count, most); divisor > 1; divisor--) if (count % divisor === 0) return divisor;
  return 1;
}
