import type { TargetShape } from '../llama/config';
import type { RunState } from './run-state';

/** A kept run's first name: "nano to 4·48·3·128". */
export function runName(sourceName: string, target: TargetShape): string {
  const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } = target;
  return `${sourceName} to ${[numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize].join('·')}`;
}

/** Mean of the domains' last losses, of the source's own before the first evaluation; null where there are none. */
export function meanLoss({ loss, referenceLoss }: RunState): number | null {
  const losses = loss ?? referenceLoss;
  return losses.length ? losses.reduce((sum, value) => sum + value, 0) / losses.length : null;
}
