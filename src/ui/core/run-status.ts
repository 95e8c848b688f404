import { type KeptRun, wasInterrupted } from './kept-runs';
import { isGoing, type LabState } from './lab-state';
import { plannedSteps, type RunRecord, stepOf } from './run-record';

/** What became of a kept run, such as "interrupted at step 40 of 500". */
export function describeStatus(
  run: KeptRun,
  record: RunRecord | null,
  state: Pick<LabState, 'status' | 'currentRun'>,
): string {
  const own = isGoing(state) && state.currentRun === run.id;
  const step = own && record ? stepOf(record) : run.step;
  const where = `step ${step} of ${own && record ? plannedSteps(record.settings) : run.totalSteps}`;
  if (own) return state.status === 'paused' ? `paused at ${where}` : where;
  if (run.inUse) return `in use, ${where}`;
  if (wasInterrupted(run)) return `interrupted at ${where}`;
  return run.status === 'finished' ? 'finished' : `${run.status} at ${where}`;
}

/** Whether a run can be taken up again from its last checkpoint. */
export const canContinue = (run: KeptRun): boolean => !run.inUse && run.status !== 'finished';
