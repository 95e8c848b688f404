import type {
  EvaluationEvent,
  FinishedEvent,
  RunEvent,
  StartedEvent,
  StepEvent,
  SurgeryEvent,
} from '../../run/events';
import { gateRows, type GateRows } from '../../run/gate-rows';
import { shapeOf, type TargetShape } from '../../llama/config';

/** Everything that the page knows of one run: its log, and the same events sorted by kind. */
export interface RunRecord {
  /** 1, 2, 3… in this session; 0 is the recorded run that comes with the page. */
  id: number;
  log: readonly RunEvent[];
  started: StartedEvent;
  steps: readonly StepEvent[];
  evaluations: readonly EvaluationEvent[];
  /** The newest gates. */
  gates: GateRows | null;
  surgery: SurgeryEvent | null;
  finished: FinishedEvent | null;
}

export const RECORDED_RUN = 0;

export const runName = (id: number): string => (id === RECORDED_RUN ? 'Recorded run' : `Run ${id}`);

export function beginRun(id: number, started: StartedEvent): RunRecord {
  return {
    id,
    log: [started],
    started,
    steps: [],
    evaluations: [],
    gates: null,
    surgery: null,
    finished: null,
  };
}

/** The run after `events`, which must belong to it (a `started` event begins another run and is ignored). */
export function appendEvents(run: RunRecord, events: readonly RunEvent[]): RunRecord {
  const next = { ...run };
  const steps: StepEvent[] = [];
  const evaluations: EvaluationEvent[] = [];
  for (const event of events) {
    if (event.type === 'step') steps.push(event);
    else if (event.type === 'evaluation') evaluations.push(event);
    else if (event.type === 'gates') next.gates = gateRows(run.started.source.config, event);
    else if (event.type === 'surgery') next.surgery = event;
    else if (event.type === 'finished') next.finished = event;
  }
  next.log = run.log.concat(events.filter((event) => event.type !== 'started'));
  if (steps.length) next.steps = run.steps.concat(steps);
  if (evaluations.length) next.evaluations = run.evaluations.concat(evaluations);
  return next;
}

export { runSteps as plannedSteps } from '../../run/run-size';

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
  const recent = run.steps.slice(-33);
  const differences: number[] = [];
  for (let i = 1; i < recent.length; i++) {
    const before = recent[i - 1]!;
    const after = recent[i]!;
    if (before.stage === after.stage) differences.push(after.elapsedMs - before.elapsedMs);
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
