import type {
  AxesEvent,
  EvaluationEvent,
  FinishedEvent,
  InterventionEvent,
  RunEvent,
  StartedEvent,
  SurgeryEvent,
} from '../../run/events';
import { changed, type Intervention, type Plan } from '../../experiment/interventions';
import type { Experiment } from '../../experiment/schema';
import { gateRows, type GateRows } from '../../run/gate-rows';
import { addStep, createStepColumns, type StepColumns } from './step-columns';
import { shapeOf, type TargetShape } from '../../llama/config';

/**
 * What the page shows of one run: the events of its log, sorted by kind. Lists are appended to in place, so that a
 * long run costs no more with each event; every change gives another object around them.
 */
export interface RunRecord {
  /** Its identifier among the kept runs; `RECORDED_RUN` for the one that comes with the page. */
  id: string;
  started: StartedEvent;
  /** The settings of its newest step. */
  settings: Experiment;
  interventions: readonly InterventionEvent[];
  steps: StepColumns;
  evaluations: readonly EvaluationEvent[];
  /** The newest gates. */
  gates: GateRows | null;
  /** Where the residual stream was turned. */
  axes: AxesEvent | null;
  surgery: SurgeryEvent | null;
  finished: FinishedEvent | null;
}

export const RECORDED_RUN = 'recorded';

export function beginRun(id: string, started: StartedEvent): RunRecord {
  return {
    id,
    started,
    settings: started.experiment,
    interventions: [],
    steps: createStepColumns(started.domains.length),
    evaluations: [],
    gates: null,
    axes: null,
    surgery: null,
    finished: null,
  };
}

/** The run after `events`, which must be the next of its log (`started` is in it already). */
export function appendEvents(run: RunRecord, events: readonly RunEvent[]): RunRecord {
  const next = { ...run };
  const add = <Event>(list: readonly Event[], event: Event) => void (list as Event[]).push(event);
  for (const event of events) {
    switch (event.type) {
      case 'step':
        addStep(next.steps, event);
        break;
      case 'evaluation':
        add(next.evaluations, event);
        break;
      case 'gates':
        next.gates = gateRows(run.started.source.config, event);
        break;
      case 'axes':
        next.axes = event;
        break;
      case 'intervention':
        add(next.interventions, event);
        next.settings = changed(next.settings, event.changes);
        break;
      case 'surgery':
        next.surgery = event;
        break;
      case 'finished':
        next.finished = event;
        break;
    }
  }
  // A finished run that trains on has more to come.
  if (next.finished && stepOf(next) > next.finished.step) next.finished = null;
  return next;
}

export { runSteps as plannedSteps } from '../../run/run-size';

/** Optimiser steps done. */
export const stepOf = (run: RunRecord): number => run.steps.newest?.step ?? 0;

/** The plan that the run follows; `planned` are interventions that are still to come. */
export function planOf(run: RunRecord, planned: readonly Intervention[] = []): Plan {
  const done = run.interventions.map(({ step, changes }) => ({ at: step, changes }));
  const step = stepOf(run);
  return {
    experiment: run.started.experiment,
    interventions: [...done, ...planned.filter(({ at }) => at > step)],
  };
}

/** Whether what came out of the run can write and be measured: it was cut to shape, and is kept. */
export const hasModels = (run: RunRecord | null): run is RunRecord =>
  run !== null && run.id !== RECORDED_RUN && run.surgery !== null;

/** The shape that the run reached, once it is known. */
export function achievedShape(run: RunRecord): TargetShape | null {
  if (run.finished) return run.finished.summary.achieved;
  return run.surgery ? shapeOf(run.surgery.config) : null;
}

/** Newest held-out loss by domain of the model that came out, and which model that is. */
export function latestLoss(run: RunRecord): { which: 'masked' | 'pruned'; loss: readonly number[] } | null {
  const evaluation = run.evaluations.at(-1);
  if (run.finished) {
    const { pruned, retrained } = run.finished.summary.loss;
    return { which: 'pruned', loss: retrained ?? pruned };
  }
  if (run.surgery) {
    const after = evaluation && evaluation.stage === 'retrain' ? evaluation.loss : run.surgery.loss.pruned;
    return { which: 'pruned', loss: after };
  }
  return evaluation ? { which: 'masked', loss: evaluation.loss } : null;
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Median milliseconds between the last optimiser steps: what a step costs on this device. */
export function millisecondsPerStep(run: RunRecord): number | null {
  const { step, elapsedMs, length } = run.steps;
  const differences: number[] = [];
  for (let i = Math.max(1, length - 32); i < length; i++) {
    // Between the last step before the cut and the first after it lies the cut.
    if (step.at(i - 1) !== run.surgery?.step) differences.push(elapsedMs.at(i) - elapsedMs.at(i - 1));
  }
  if (differences.length < 3) return null;
  differences.sort((a, b) => a - b);
  return differences[Math.floor(differences.length / 2)]!;
}

/** "4 layers · hidden 48 · 3 heads · MLP 128" */
export function describeShape(shape: TargetShape): string {
  const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return [
    plural(shape.numHiddenLayers, 'layer'),
    `hidden ${shape.hiddenSize}`,
    plural(shape.numAttentionHeads, 'head'),
    `MLP ${shape.intermediateSize}`,
  ].join(' · ');
}
