import { settingsAt, type Intervention } from '../experiment/interventions';
import type { Experiment } from '../experiment/schema';
import type { Corpus } from '../data/corpus';
import type { ModelCard } from '../data/model-family';
import type { Gpu } from '../gpu/device';
import type { WindowSet } from '../llama/evaluate';
import type { ModelView } from '../llama/model';
import type { FlatModel } from '../llama/parameters';
import type { RunEvent } from './events';
import type { RunControl } from './run-control';
import type { RunState } from './run-state';
import type { SourceOnGpu } from './source-on-gpu';

/** The model that is pruned. */
export interface SourceModel extends FlatModel {
  name: string;
  /** What it is known by (src/formats/weights-hash.ts); null where there are no digests. */
  weightsSha256: string | null;
}

/** Where a run is kept, so that it can be taken up again. Both are called with nothing in flight. */
export interface RunKeeper {
  /** `tensors` are those of `trainer.state()`; none at the beginning of a stage, which starts from its model. */
  checkpoint(state: RunState, tensors: ReadonlyMap<string, Float32Array>): Promise<void>;
  /** The model as it was cut. */
  keepPruned(model: FlatModel): Promise<void>;
}

export interface RunContext {
  gpu: Gpu;
  source: SourceModel;
  corpus: Corpus;
  /** The source's family (`readFamily`), for an experiment that `usesScalingLaw`. */
  family?: readonly ModelCard[];
  control: RunControl;
  version: string;
  emit(event: RunEvent): void;
  /**
   * What goes on between events, with the share done.
   *
   * @param finished a piece of planned work that came to its end with this report, for estimates of time
   */
  activity(what: string, done: number, total: number, finished?: 'race step'): void;
  /** A change that was asked for cannot be made; one sentence says why. */
  refuseChange?(message: string): void;
  keeper?: RunKeeper | undefined;
  /** Steps between two checkpoints, instead of the experiment's; says nothing to the log. */
  checkpointEvery?: number | undefined;
}

/** What the stages of one run share. */
export interface Run extends RunContext {
  state: RunState;
  /** The source's weights on the GPU. */
  sourceOnGpu: SourceOnGpu;
  /** Held-out windows of each domain, the same at every evaluation. */
  windows: WindowSet[];
}

/** What a run prunes: its weights here and, for programs that only read them, on the GPU. */
export interface Subject extends FlatModel {
  view: ModelView;
  /** Gives back what only the subject holds. */
  release(): void;
}

/** What a method of pruning comes to before the cut. */
export interface DecidedMask {
  /** The model as it is to be cut, in the shape of what was pruned. */
  model: FlatModel;
  /** Flat in the gate layout: 0 goes, what stays is folded in. */
  mask: Float32Array;
  /** Of every gate, flat in the same layout, where the mask was learnt. */
  logAlpha?: Float32Array;
  /** Adam's moments of the model's weights by their names in a trainer's state; cut and carried on. */
  moments: ReadonlyMap<string, Float32Array>;
}

/** How a method comes to its mask. `saved` are the tensors of a checkpoint of its stage; empty at its start. */
export type Decide = (
  run: Run,
  subject: Subject,
  saved: ReadonlyMap<string, Float32Array>,
) => Promise<DecidedMask>;

/** The plan as far as it is in force. */
export function planOf({ state }: Pick<Run, 'state'>) {
  return { experiment: state.experiment, interventions: state.interventions.slice(0, state.applied) };
}

/** The settings that the next step is made with. */
export function currentSettings(run: Pick<Run, 'state'>): Experiment {
  return settingsAt(planOf(run), run.state.step);
}

export type Changes = Intervention['changes'];
