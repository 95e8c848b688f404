import { useEffect, useState } from 'react';
import type { estimateRunMemory } from '../run/memory';
import type { Experiment } from '../experiment/schema';
import type { LlamaConfig } from '../llama/config';

type Estimate = typeof estimateRunMemory;

/**
 * GPU bytes that a run will hold at most; null until the estimate's code has come. It is computed from the
 * plans of the engine's own buffers, so that code is loaded behind the page and not with it.
 */
export function useMemoryEstimate(source: LlamaConfig, experiment: Experiment): number | null {
  const [estimate, setEstimate] = useState<Estimate | null>(null);
  useEffect(() => {
    let gone = false;
    import('../run/memory').then(
      (module) => {
        if (!gone) setEstimate(() => module.estimateRunMemory);
      },
      // Offline by now: the table does without this row.
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, []);
  if (!estimate) return null;
  const { pruning, retraining } = estimate(source, experiment);
  return Math.max(pruning, retraining);
}
