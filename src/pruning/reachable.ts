import { LOG_ALPHA_LIMIT, probabilityOfZero } from '../kernels/hard-concrete-distribution';
import type { LlamaConfig } from '../llama/config';
import { GATE_SETS, type GateSet, gateLayout } from '../llama/gates';
import type { LearntSets } from './masks';
import { parsePin } from './pins';

/** What says how far learnt gates reach: which are learnt, which are pinned, and β. */
export interface GateSettings {
  gates: LearntSets;
  pins: readonly string[];
  prune: { temperature: number };
}

/** Gates of one row, and those of them that are pinned. */
interface RowCounts {
  length: number;
  closed: number;
  kept: number;
}

function rowCounts(config: LlamaConfig, pins: readonly string[]): Record<GateSet, RowCounts[]> {
  const layout = gateLayout(config);
  const counts = Object.fromEntries(
    GATE_SETS.map((set) => [
      set,
      Array.from({ length: layout[set].rows }, () => ({ length: layout[set].length, closed: 0, kept: 0 })),
    ]),
  ) as Record<GateSet, RowCounts[]>;
  for (const { set, row, kept } of pins.map(parsePin)) counts[set][row]![kept ? 'kept' : 'closed']++;
  return counts;
}

/**
 * Expected sparsity of each set when in every row the share `sparsities` of the gates is closed, pinned ones first,
 * and every gate that is not pinned stands at the clamp:
 *
 *   t' = mean over rows of (c + f_c·P0 + f_o·P1) / n      f_c = max(t·n − c, 0),  f_o = n − c − k − f_c
 *
 * with n gates in a row, of which c are pinned closed and k kept, and P0, P1 = P(z = 0) at log α = −ln 100, ln 100:
 * .9529 and .0020 at β = 2/3. Without pins t' = t·P0 + (1 − t)·P1 (docs/method.md, section 3). A set has one
 * target for all of its rows: rows with different pins each end a little beside it, (1 − P0)/n for a pinned gate,
 * and λ1, which follows the mean over rows, comes to rest. 0 stays 0 for a set that is not learnt.
 */
export function reachableSparsities(
  config: LlamaConfig,
  sparsities: Record<GateSet, number>,
  settings: GateSettings,
): Record<GateSet, number> {
  const { temperature } = settings.prune;
  const [atClosed, atOpen] = [-LOG_ALPHA_LIMIT, LOG_ALPHA_LIMIT].map((a) =>
    probabilityOfZero(a, temperature),
  ) as [number, number];
  const rows = rowCounts(config, settings.pins);
  return Object.fromEntries(
    GATE_SETS.map((set) => {
      if (!settings.gates[set]) return [set, 0];
      const sum = rows[set].reduce((all, { length, closed, kept }) => {
        const free = length - closed - kept;
        const freeClosed = Math.min(free, Math.max(0, sparsities[set] * length - closed));
        return all + (closed + freeClosed * atClosed + (free - freeClosed) * atOpen) / length;
      }, 0);
      return [set, sum / rows[set].length];
    }),
  ) as Record<GateSet, number>;
}

/** The largest expected sparsity of each set: every gate closed that is not kept by hand. */
export function largestSparsities(config: LlamaConfig, settings: GateSettings): Record<GateSet, number> {
  return reachableSparsities(config, { hidden: 1, head: 1, intermediate: 1, layer: 1 }, settings);
}
