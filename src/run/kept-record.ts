import { plannedSettings } from '../experiment/interventions';
import type { TargetShape } from '../llama/config';
import { runSteps } from './run-size';
import type { RunState } from './run-state';

/** A kept run's first name: "nano to 4·48·3·128". */
export function runName(sourceName: string, target: TargetShape): string {
  const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } = target;
  return `${sourceName} to ${[numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize].join('·')}`;
}

/** How far a kept run is: what the list of runs says of it. */
export function progressOf(state: RunState): { step: number; totalSteps: number; meanLoss: number | null } {
  return { step: state.step, totalSteps: runSteps(plannedSettings(state)), meanLoss: meanLoss(state) };
}

/** Whether all that was asked for is done: without steps a run still has its cut to make. */
export function isDone(state: RunState): boolean {
  return state.surgery !== null && state.step >= runSteps(plannedSettings(state));
}

/** Mean of the domains' last losses, of the source's own before the first evaluation; null where there are none. */
function meanLoss({ loss, referenceLoss }: RunState): number | null {
  const losses = loss ?? referenceLoss;
  return losses.length ? losses.reduce((sum, value) => sum + value, 0) / losses.length : null;
}
