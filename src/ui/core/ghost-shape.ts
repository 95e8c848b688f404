import type { TargetShape } from '../../llama/config';
import { shapeOf } from '../../llama/config';
import { GATE_SET_OF, TARGET_FIELDS } from '../../pruning/target-shape';
import { findRun, type LabState } from './lab-state';
import { achievedShape, RECORDED_RUN, type RunRecord } from './run-record';

let newest: { run: RunRecord; shape: TargetShape } | null = null;

/**
 * The shape that the shown run is at: what its rising sparsity target leaves of the source, and from the cut on what
 * it reached. Null before its first step, and for the recorded run, whose settings stand nowhere in the form.
 */
export function ghostShape(state: LabState): TargetShape | null {
  const run = findRun(state, state.shownRun);
  if (!run || run.id === RECORDED_RUN) return null;
  if (newest?.run !== run) {
    const shape = achievedShape(run) ?? targetOf(run);
    if (!shape) return null;
    newest = { run, shape };
  }
  return newest.shape;
}

function targetOf(run: RunRecord): TargetShape | null {
  const sparsity = run.steps.newest?.sparsity;
  if (!sparsity) return null;
  const shape = { ...shapeOf(run.started.source.config) };
  for (const field of TARGET_FIELDS) shape[field] *= 1 - (sparsity[GATE_SET_OF[field]]?.target ?? 0);
  return shape;
}
