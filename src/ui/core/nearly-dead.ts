import type { RunRecord } from './run-record';
import { GATE_SETS, unitsName } from './gate-sets';

/** How many units the cut kept although their gates had nearly closed, in one sentence; empty for none. */
export function describeNearlyDead({ surgery, axes }: Pick<RunRecord, 'surgery' | 'axes'>): string {
  const counts = surgery?.nearlyDead;
  if (!counts) return '';
  const parts = GATE_SETS.filter((set) => counts[set] > 0).map(
    (set) => `${counts[set].toLocaleString('en')} ${unitsName(set, counts[set], axes !== null)}`,
  );
  return parts.length === 0
    ? ''
    : `Kept though nearly closed: ${parts.join(', ')}. The target kept them, not what was learnt.`;
}
