import type { RunStatus } from '../../session/protocol';
import { formatDuration } from './format';
import { findRun, type JobKind, type LabState } from './lab-state';
import { plannedSteps, stepOf } from './run-record';

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

/** What stands before a job's own words. */
const JOBS: Partial<Record<JobKind, string>> = {
  compare: 'Comparing: ',
  scoreTasks: 'Tasks: ',
  scoreUnits: 'Scores: ',
};

export function describeProgress(state: LabState): Progress {
  const { status, activity, loading, engine } = state;
  if (engine.state === 'missing')
    return { text: 'Replay only: no WebGPU here', share: null, phase: 'missing' };
  if (state.silent)
    return { text: 'The engine does not answer: wait, or press Reset', share: null, phase: 'silent' };
  if (engine.state === 'lost') return { text: 'Stopped: see the notice', share: null, phase: 'lost' };
  if (status === 'loading' || status === 'idle') {
    if (!loading)
      return { text: status === 'loading' ? 'Loading' : RESTING.idle, share: null, phase: status };
    const share = loading.total > 0 ? Math.min(1, loading.loaded / loading.total) : null;
    const percent = share === null ? '' : `, ${Math.round(share * 100)} %`;
    return { text: `Loading ${loading.what}${percent}`, share, phase: `loading ${loading.what}` };
  }
  const run = findRun(state, state.currentRun);
  const planned = run ? plannedSteps(run.settings) : 0;
  const step = run ? stepOf(run) : 0;
  const share = planned > 0 ? Math.min(1, step / planned) : null;
  if (status === 'paused') {
    return { text: run ? `Paused at step ${step} of ${planned}` : 'Paused', share, phase: 'paused' };
  }
  if (status === 'running') {
    const text = activity ? describeActivity(activity, ' in all') : RESTING.running;
    const phase = activity ? `running ${activity.what}` : 'starting';
    return state.pausing
      ? { text: `Pausing when this is done: ${text}`, share, phase: 'pausing' }
      : { text, share, phase };
  }
  const job = state.jobs.find(({ progress }) => progress !== null);
  if (job?.progress) {
    const { what, share, secondsLeft } = job.progress;
    const text = `${JOBS[job.kind] ?? ''}${what}`;
    return { text: `${text}${timeLeft(secondsLeft)}`, share, phase: text.replace(/,.*| \d.*/, '') };
  }
  return { text: RESTING[status], share: status === 'finished' ? 1 : null, phase: status };
}

type Activity = NonNullable<LabState['activity']>;

/**
 * Optimiser steps are counted through the whole run, here and everywhere; other work is a share of itself, and
 * `leftOf` says what the time left is of.
 */
function describeActivity(activity: Activity, leftOf: string): string {
  const { what, done, total, secondsLeft } = activity;
  const share = shareOf(activity);
  const steps = what === 'Pruning' || what === 'Retraining';
  const far = steps ? `, step ${done} of ${total}` : share === null ? '' : `, ${Math.floor(100 * share)} %`;
  const left = timeLeft(secondsLeft);
  return `${what}${far}${left}${left && !steps ? leftOf : ''}`;
}

/** Null for work that has no parts. */
const shareOf = ({ done, total }: Activity) => (total > 1 ? Math.min(1, done / total) : null);

const timeLeft = (seconds: number | null) =>
  seconds === null || !Number.isFinite(seconds) ? '' : `, ${formatDuration(seconds)} left`;
