import { settingsAt, type Plan } from './interventions';
import type { Experiment } from './schema';

/** A linear stretch: from `start` at step `from` to `goal`, `length` steps later; then it stays. */
interface Ramp<Sets extends string> {
  from: number;
  length: number;
  start: Record<Sets, number>;
  goal: Record<Sets, number>;
}

/** What a change of any of these begins a new stretch for. */
const moves = (key: string) =>
  key.startsWith('target.') || key === 'prune.steps' || key === 'prune.sparsityWarmup';

/**
 * The target sparsity of each gate set at zero-based step `step` of pruning (docs/method.md, section 9):
 *
 *   t(s) = start + (goal − start) · min(1, (s − from) / length)
 *
 * Undisturbed, one stretch runs from 0 over W = steps · warm-up steps. A change at step a begins another where the
 * target stands, over max(W − a, W·δ) steps, but none past the last; δ is the largest share of its own height that
 * a set has to go, max |goal − start| / max(goal, start).
 *
 * @param sparsities of a target shape, by set
 */
export function scheduledTarget<Sets extends string>(
  plan: Plan,
  step: number,
  sparsities: (settings: Experiment) => Record<Sets, number>,
): Record<Sets, number> {
  const { steps, sparsityWarmup } = plan.experiment.prune;
  const goal = sparsities(plan.experiment);
  let ramp: Ramp<Sets> = {
    from: 0,
    length: steps * sparsityWarmup,
    start: mapSets(goal, () => 0),
    goal,
  };
  for (const { at, changes } of plan.interventions) {
    if (at > step) break;
    if (!Object.keys(changes).some(moves)) continue;
    const settings = settingsAt(plan, at);
    const warmup = settings.prune.steps * settings.prune.sparsityWarmup;
    const start = targetOn(ramp, at);
    const next = sparsities(settings);
    const share = Math.max(
      ...Object.keys(next).map((set) => {
        const [a, b] = [start[set as Sets], next[set as Sets]];
        return a === b ? 0 : Math.abs(a - b) / Math.max(a, b);
      }),
    );
    const length = Math.min(Math.max(warmup - at, warmup * share), Math.max(0, settings.prune.steps - at));
    ramp = { from: at, length, start, goal: next };
  }
  return targetOn(ramp, step);
}

function targetOn<Sets extends string>(
  { from, length, start, goal }: Ramp<Sets>,
  step: number,
): Record<Sets, number> {
  const share = length <= 0 ? 1 : Math.min(1, (step - from) / length);
  return mapSets(goal, (set) => (share === 1 ? goal[set] : start[set] + (goal[set] - start[set]) * share));
}

function mapSets<Sets extends string>(
  of: Record<Sets, number>,
  value: (set: Sets) => number,
): Record<Sets, number> {
  return Object.fromEntries(Object.keys(of).map((set) => [set, value(set as Sets)])) as Record<Sets, number>;
}
