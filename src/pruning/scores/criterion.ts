import type { GateSet } from '../../llama/gates';
import type { FlatModel } from '../../llama/parameters';
import type { ActivationStatistics } from './statistics';

/** What a criterion may look at. What takes a pass over the calibration sequences is taken once for all that ask. */
export interface Scoring extends FlatModel {
  seed: number;
  activations(): Promise<ActivationStatistics>;
  /** ∂(mean loss)/∂parameters over the calibration sequences. */
  gradients(): Promise<Float64Array>;
  /** Mean loss in nats a token on the calibration sequences without these layers. */
  lossWithout(layers: readonly number[]): Promise<number>;
}

/** Scores by gate set, the rows of a set one after the other; the smallest of a row go first. */
export interface Scores {
  values: Partial<Record<GateSet, Float64Array>>;
  /** Layers in the order in which they go, where that is not the order of their scores. */
  order?: number[];
}

/** Scores of layers and of the other sets, by one criterion or by two. */
export interface UnitScores {
  layers: Scores;
  widths: Scores;
}

/** The same as scores of every set. */
export function joined({ layers, widths }: UnitScores): Scores {
  const { layer } = layers.values;
  return {
    values: { ...widths.values, ...(layer && { layer }) },
    ...(layers.order && { order: layers.order }),
  };
}

/** Passes over the calibration sequences: statistics that are shared by all that ask, or losses without layers. */
export interface CalibrationReads {
  statistics?: 'activations' | 'gradients';
  /** How often the loss is measured, of a model with so many layers. */
  losses?(layers: number): number;
}

/** A way of saying how important units are, without training. */
export interface Criterion<Id extends string = string> {
  id: Id;
  label: string;
  help: string;
  /** The gate sets that it scores. */
  sets: readonly GateSet[];
  /** Chance, or no score at all: no candidate of a race unless it is chosen. */
  blind?: boolean;
  /** What it reads of the calibration sequences; without it, nothing: it needs no text. */
  reads?: CalibrationReads;
  /** The cut model gets, as biases, what the removed heads and MLP units gave on average (FLAP). */
  compensates?: boolean;
  score(scoring: Scoring): Promise<Scores> | Scores;
}
