import { changed } from '../experiment/interventions';
import { findField, type Experiment } from '../experiment/schema';
import { startMixture } from '../data/mixture';
import { valueAt } from '../fields/table';
import { checkExperiment } from './check-experiment';
import { currentSettings, type Changes, type Run } from './run-context';
import type { RunState } from './run-state';

/** Whether a setting may still change in this stage. */
export function isLive(key: string, stage: RunState['stage']): boolean {
  const live = findField(key)?.live ?? 'no';
  return live === 'until-end' || (live === 'until-cut' && stage === 'prune');
}

/**
 * Puts the interventions of the plan that are due into force, then the changes that were asked for since, as
 * interventions at this step. Called with nothing in flight.
 *
 * @returns the keys that were changed
 */
export function takeChanges(run: Run): Set<string> {
  const { state, control } = run;
  const keys = new Set<string>();
  while (state.applied < state.interventions.length && state.interventions[state.applied]!.at <= state.step) {
    const [due] = state.interventions.splice(state.applied, 1);
    apply(run, due!.changes, keys);
  }
  for (const changes of control.takeChanges()) apply(run, changes, keys);
  return keys;
}

/** Whether `takeChanges` has something to do. */
export function changesAreDue({ state }: Run): boolean {
  const next = state.interventions[state.applied];
  return next !== undefined && next.at <= state.step;
}

function apply(run: Run, asked: Changes, keys: Set<string>): void {
  const { state } = run;
  const settings = currentSettings(run);
  // Weights would have no effect any more.
  const all = asked['mixture.mode'] === 'constant' ? { 'mixture.weights': [], ...asked } : asked;
  const changes = Object.fromEntries(
    Object.entries(all).filter(
      ([key, value]) => JSON.stringify(valueAt(settings, key)) !== JSON.stringify(value),
    ),
  );
  if (Object.keys(changes).length === 0) return;
  const problem = changeProblem(run, changed(settings, changes), changes);
  if (problem) return run.refuseChange?.(problem);
  const before = Object.fromEntries(Object.keys(changes).map((key) => [key, valueAt(settings, key)]));
  state.interventions.splice(state.applied, 0, { at: state.step, changes });
  state.applied++;
  if ('mixture.mode' in changes || 'mixture.weights' in changes) moveMixture(run);
  for (const key of Object.keys(changes)) keys.add(key);
  run.emit({
    type: 'intervention',
    step: state.step,
    tokens: state.tokens,
    elapsedMs: run.control.elapsedMs(),
    changes,
    before,
  });
}

/** Why these changes cannot be made now, in one sentence; null when they can. */
function changeProblem(run: Run, settings: Experiment, changes: Changes): string | null {
  const { stage, stageStart, surgery } = run.state;
  const fixed = Object.keys(changes).find((key) => !isLive(key, stage));
  if (fixed !== undefined) {
    const label = `${findField(fixed)?.label ?? 'The setting'} (${fixed})`;
    return stage !== 'prune' && findField(fixed)?.live === 'until-cut'
      ? `${label} cannot be changed after the cut at step ${surgery?.step ?? stageStart}: run it again with the new value.`
      : `${label} cannot be changed while a run goes on: run it again with the new value.`;
  }
  try {
    checkExperiment(settings, run.source.config);
    startMixture(settings.mixture.mode, settings.mixture.weights, corpusWeights(run));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const corpusWeights = ({ corpus }: Run) => corpus.domains.map(({ weight }) => weight);

/**
 * The mixture after its mode or weights were changed: constant takes the corpus' own proportions, manual the
 * weights, dynamic goes on from where it stands, or from new weights where those were given.
 */
function moveMixture(run: Run): void {
  const { mode, weights } = currentSettings(run).mixture;
  const newest = run.state.interventions[run.state.applied - 1]!.changes;
  if (mode === 'dynamic' && !('mixture.weights' in newest)) return;
  run.state.mixture = startMixture(mode, weights, corpusWeights(run));
}
