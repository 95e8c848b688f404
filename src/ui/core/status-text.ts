import type { RunStatus } from '../../session/protocol';
import { formatDuration } from './format';
import { isMeasuring, type LabState } from './lab-state';
import { plannedSteps, type RunRecord } from './run-record';

/** What the lab is doing, in one short sentence: the page's live region and its progress bar. */
export interface Progress {
  text: string;
  /** 0…1, or null when there is nothing to wait for. */
  share: number | null;
  /** Changes when what is being done changes, not when it advances. */
  phase: string;
}

const RESTING: Record<RunStatus, string> = {
  idle: 'Waiting for the engine',
  loading: 'Loading',
  ready: 'Ready',
  running: 'Starting',
  paused: 'Paused',
  finished: 'Finished',
  failed: 'Stopped: see the notice',
};

export function describeProgress(state: LabState): Progress {
  const { status, activity, loading, engine } = state;
  if (engine.state === 'missing')
    return { text: 'Replay only: no WebGPU here', share: null, phase: 'missing' };
  if (engine.state === 'lost') return { text: 'Stopped: see the notice', share: null, phase: 'lost' };
  if (status === 'loading' || status === 'idle') {
    if (!loading)
      return { text: status === 'loading' ? 'Loading' : RESTING.idle, share: null, phase: status };
    const share = loading.total > 0 ? Math.min(1, loading.loaded / loading.total) : null;
    const percent = share === null ? '' : `, ${Math.round(share * 100)} %`;
    return { text: `Loading ${loading.what}${percent}`, share, phase: `loading ${loading.what}` };
  }
  const run = state.runs.find((candidate) => candidate.id === state.currentRun);
  const step = run?.steps.at(-1)?.step ?? 0;
  const planned = run ? plannedSteps(run.started.experiment) : 0;
  const share = run && planned > 0 ? Math.min(1, step / planned) : null;
  if (status === 'paused') {
    return { text: run ? `Paused at step ${step} of ${planned}` : 'Paused', share, phase: 'paused' };
  }
  if (status === 'running') {
    if (!activity) return { text: RESTING.running, share, phase: 'starting' };
    const parts = [activity.what];
    const counted = run && countSteps(run, activity);
    if (counted) parts.push(counted);
    else if (activity.done > 0 && activity.done < 1) parts.push(`${Math.round(activity.done * 100)} %`);
    else if (activity.total > 1) parts.push(`${activity.done} of ${activity.total}`);
    if (activity.secondsLeft !== null && Number.isFinite(activity.secondsLeft)) {
      parts.push(`${formatDuration(activity.secondsLeft)} left`);
    }
    return { text: parts.join(', '), share, phase: `running ${activity.what}` };
  }
  const { evaluation } = state;
  if (activity && evaluation && isMeasuring(evaluation)) {
    const left = activity.secondsLeft === null ? '' : `, ${formatDuration(activity.secondsLeft)} left`;
    return {
      text: `${activity.what}, ${activity.done} of ${activity.total}${left}`,
      share: activity.total > 0 ? activity.done / activity.total : null,
      phase: activity.what,
    };
  }
  if (state.comparison?.progress) {
    const { what, share, secondsLeft } = state.comparison.progress;
    const left = secondsLeft === null ? '' : `, ${formatDuration(secondsLeft)} left`;
    return { text: `Comparing: ${what}${left}`, share, phase: `comparing ${what.split(/[:,]/)[0]}` };
  }
  return { text: RESTING[status], share: status === 'finished' ? 1 : null, phase: status };
}

/** The engine counts steps through the whole run; a person reads them stage by stage. */
function countSteps(run: RunRecord, activity: NonNullable<LabState['activity']>): string | null {
  const { prune, retrain } = run.started.experiment;
  if (activity.what === 'Pruning') return `step ${activity.done} of ${prune.steps}`;
  if (activity.what === 'Retraining') return `step ${activity.done - prune.steps} of ${retrain.steps}`;
  return null;
}
