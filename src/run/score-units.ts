import { turnsStream } from '../pruning/basis/fields';
import type { Corpus } from '../data/corpus';
import type { Experiment } from '../experiment/schema';
import { finite } from '../fields/finite';
import type { Gpu } from '../gpu/device';
import { GATE_SETS } from '../llama/gates';
import type { ScoresBy } from '../pruning/race/pool';
import { criterion, type CriterionId } from '../pruning/scores';
import { calibrationBatches } from '../pruning/scores/calibration';
import { compensates } from '../pruning/scores/compensation';
import type { Scores, UnitScores } from '../pruning/scores/criterion';
import type { ScoreMaskOptions } from '../pruning/scores/mask';
import { withScoring } from '../pruning/scores/scoring';
import type { ActivationStatistics } from '../pruning/scores/statistics';
import { calibrationSequences } from './calibration';
import type { Subject } from './run-context';

/** What is scored: its weights here and on the GPU. */
type Scored = Pick<Subject, 'config' | 'parameters' | 'view'>;

/** What a run knows of its units' importance. */
export interface RunScores extends UnitScores {
  /** For what makes up for closed units; null where nothing does. */
  activations: ActivationStatistics | null;
}

/** What units are scored on. */
export interface ScoredOn {
  sequences: readonly Uint32Array[];
  /** Of scores that are drawn. */
  seed: number;
  /** Called with the passes over a batch that are done, of those of all scores; may wait (pause) or throw (cancel). */
  between(what: string, done: number, total: number): Promise<void> | void;
}

/** An experiment whose calibration sequences are scored on. */
export interface ScoredFor extends Pick<ScoredOn, 'between'> {
  experiment: Experiment;
  corpus: Corpus;
}

/** The scores that an experiment asks for, or those of another choice, on its own calibration sequences. */
export function scoreUnits(
  gpu: Gpu,
  subject: Scored,
  input: ScoredFor,
  { layers, widths }: Pick<Experiment['scores'], 'layers' | 'widths'> = input.experiment.scores,
): Promise<RunScores> {
  return withScores(gpu, subject, input, [layers, widths], async (by, activations) => ({
    layers: await by.layers(layers),
    widths: await by.widths(widths),
    activations: await activations(),
  }));
}

/**
 * Uses the scores of a model as they are asked for, each taken once.
 *
 * @param ids the criteria that will be asked for, as far as they are known: what the share done is of
 */
export function withScores<T>(
  gpu: Gpu,
  subject: Scored,
  { experiment, corpus, between }: ScoredFor,
  ids: readonly CriterionId[],
  use: (by: ScoresBy, activations: () => Promise<ActivationStatistics | null>) => Promise<T>,
): Promise<T> {
  const { calibration } = experiment;
  const on = { sequences: calibrationSequences(experiment, corpus), seed: calibration.seed, between };
  // In a turned stream the axes stand in the order of their importance.
  const axes = Float64Array.from({ length: subject.config.hiddenSize }, (_, i) => -i);
  return withEachScore(gpu, subject, on, ids, (scores, activations) =>
    use(
      {
        layers: scores,
        async widths(id) {
          const { values } = await scores(id);
          return { values: turnsStream(experiment) ? { ...values, hidden: axes } : values };
        },
      },
      () => (compensates(experiment) ? activations() : Promise.resolve(null)),
    ),
  );
}

/** Scores a model by some criteria. @throws NotFiniteError that names the unit; the reason of `between` */
export function scoreBy<Id extends CriterionId>(
  gpu: Gpu,
  subject: Scored,
  on: ScoredOn,
  ids: readonly Id[],
): Promise<Record<Id, Scores>> {
  return withEachScore(gpu, subject, on, ids, async (scores) => {
    const taken: Partial<Record<Id, Scores>> = {};
    for (const id of ids) taken[id] = await scores(id);
    return taken as Record<Id, Scores>;
  });
}

function withEachScore<T>(
  gpu: Gpu,
  subject: Scored,
  { sequences, seed, between }: ScoredOn,
  ids: readonly CriterionId[],
  use: (
    scores: (id: CriterionId) => Promise<Scores>,
    activations: () => Promise<ActivationStatistics>,
  ) => Promise<T>,
): Promise<T> {
  const batches = calibrationBatches(sequences);
  const total = batches.length * passes([...new Set(ids)].map(criterion), subject.config.numHiddenLayers);
  let done = 0;
  const counted = (what: string) => between(what, ++done, Math.max(total, done));
  const input = { model: subject, view: subject.view, batches, seed, between: counted };
  return withScoring(gpu, input, (scoring) => {
    const taken = new Map<CriterionId, Promise<Scores>>();
    const take = async (id: CriterionId) => checked(await criterion(id).score(scoring), criterion(id).label);
    const scores = (id: CriterionId) => {
      const found = taken.get(id) ?? take(id);
      taken.set(id, found);
      return found;
    };
    return use(scores, () => scoring.activations());
  });
}

/** Passes over the calibration sequences that these criteria take together. */
function passes(criteria: readonly ReturnType<typeof criterion>[], layers: number): number {
  const statistics = new Set(criteria.flatMap(({ reads }) => reads?.statistics ?? []));
  return criteria.reduce((sum, { reads }) => sum + (reads?.losses?.(layers) ?? 0), statistics.size);
}

function checked(scores: Scores, label: string): Scores {
  for (const set of GATE_SETS) {
    scores.values[set]?.forEach((value, i) =>
      finite(value, `${label}: the score ${i + 1} of the set ${set}`),
    );
  }
  return scores;
}

/** What settings make of scores, once those are known. */
export function scoreOptions({ target, gates, pins, scores }: Experiment): ScoreMaskOptions {
  return { target, sets: gates, pins, protectEnds: scores.protectEnds };
}
