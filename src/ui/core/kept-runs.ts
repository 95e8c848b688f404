import { changed, parsePlan, type Plan } from '../../experiment/interventions';
import { asItWas } from '../../experiment/schema';
import type { Experiment } from '../../experiment/schema';
import type { Report } from '../../session/protocol';
import type { DamagedRun, KeptRun as StoredRun } from '../../storage/kept-run';

/** A run in the list of those that are kept on this machine. */
export interface KeptRun extends Omit<StoredRun, 'experiment' | 'interventions'> {
  /** What it follows; null where this version cannot read it. */
  plan: Plan | null;
  /** With every change of the plan in force. */
  settings: Experiment | null;
}

export interface KeptRuns {
  /** Newest first. */
  runs: readonly KeptRun[];
  damaged: readonly DamagedRun[];
  /** Bytes of all. */
  used: number;
  /** Why none outlives the tab; null where they do. */
  notice: string | null;
}

/** The list as the engine tells it; plans are parsed once for each state of a run. */
export function readKept(
  { list, used, notice }: Extract<Report, { type: 'runs' }>,
  before: KeptRuns | null,
): KeptRuns {
  const runs = list.runs.map(({ experiment, interventions, ...run }): KeptRun => {
    const known = before?.runs.find(({ id, updatedAt }) => id === run.id && updatedAt === run.updatedAt);
    if (known) return { ...run, plan: known.plan, settings: known.settings };
    const plan = readPlan(experiment, interventions);
    return { ...run, plan, settings: plan && finalSettings(plan) };
  });
  return { runs, damaged: list.damaged, used, notice };
}

function readPlan(experiment: unknown, interventions: unknown): Plan | null {
  try {
    return parsePlan({ ...(asItWas(experiment) as object), interventions });
  } catch {
    return null;
  }
}

/** Nobody works on it, and it neither ended nor was stopped: its tab was closed, or its device was lost. */
export const wasInterrupted = ({ status, inUse }: Pick<KeptRun, 'status' | 'inUse'>): boolean =>
  !inUse && (status === 'running' || status === 'paused');

/** The settings with every intervention in force. */
export function finalSettings({ experiment, interventions }: Plan): Experiment {
  return interventions.reduce((settings, { changes }) => changed(settings, changes), experiment);
}
