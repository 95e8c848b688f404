import type { LlamaConfig } from '../../llama/config';
import { gateLayout } from '../../llama/gates';
import type { UnitScores } from './criterion';
import { orderedRows, ordersOfScores, type ScoreMaskOptions } from './mask';

/** log α at the border between what scores would close and what they would keep: P(z = 0) is .027 at β = 2/3. */
const BORDER = 2;
/** How far the ends of a row may be from there: all start between −.4 and 4.4, where every gate still moves. */
const REACH = 2.4;

/**
 * Start values of log α from scores: in each row of n units, of which the target closes c, the unit that goes as
 * number r (from 0) starts at
 *
 *   log α = 2 + 2.4·tanh(4x)      x = (r + ½ − c)/n
 *
 * so what scores would close starts below 2 and what they would keep above, whatever the scores' scale. Pins come
 * first and last, as in `maskOfScores`.
 *
 * @param logAlpha start value of the sets that are not cut
 * @returns [gates], flat in the gate layout
 * @throws when the scores say nothing of a set that is cut
 */
export function warmLogAlpha(
  config: LlamaConfig,
  scores: UnitScores,
  options: ScoreMaskOptions,
  logAlpha: number,
): Float32Array {
  const values = new Float32Array(gateLayout(config).total).fill(logAlpha);
  for (const { start, order, closed } of orderedRows(
    config,
    ordersOfScores(config, scores, options),
    options,
  )) {
    order.forEach((unit, rank) => {
      const x = (rank + 0.5 - closed) / order.length;
      values[start + unit] = BORDER + REACH * Math.tanh(4 * x);
    });
  }
  return values;
}
