import type { Corpus } from '../data/corpus';
import type { Experiment } from '../experiment/schema';
import { finite } from '../fields/finite';
import type { Gpu } from '../gpu/device';
import { GATE_SETS } from '../llama/gates';
import { criterion, type CriterionId } from '../pruning/scores';
import { calibrationBatches } from '../pruning/scores/calibration';
import type { Scores, Scoring, UnitScores } from '../pruning/scores/criterion';
import { withScoring } from '../pruning/scores/scoring';
import { calibrationSequences } from './calibration';
import type { Subject } from './subject';

/** What units are scored on. */
export interface ScoredOn {
  sequences: readonly Uint32Array[];
  /** Of scores that are drawn. */
  seed: number;
  /** Called with the passes over a batch that are done, of those of all scores; may wait (pause) or throw (cancel). */
  between(what: string, done: number, total: number): Promise<void> | void;
}

/** The scores that an experiment asks for, of this model, on its own calibration sequences. */
export async function scoreUnits(
  gpu: Gpu,
  subject: Subject,
  { experiment, corpus, between }: { experiment: Experiment; corpus: Corpus } & Pick<ScoredOn, 'between'>,
): Promise<UnitScores> {
  const { scores, calibration } = experiment;
  const sequences = calibrationSequences(experiment, corpus);
  const on = { sequences, seed: calibration.seed, between };
  const by = await scoreBy(gpu, subject, on, [scores.layers, scores.widths]);
  return { layers: by(scores.layers), widths: by(scores.widths) };
}

/**
 * Scores a model by some criteria; what they share is measured once.
 *
 * @throws NotFiniteError that names the unit; the reason of `between`
 */
export async function scoreBy(
  gpu: Gpu,
  subject: Subject,
  { sequences, seed, between }: ScoredOn,
  ids: readonly CriterionId[],
): Promise<(id: CriterionId) => Scores> {
  const batches = calibrationBatches(sequences);
  const criteria = [...new Set(ids)].map(criterion);
  const total = batches.length * passes(criteria, subject.config.numHiddenLayers);
  let done = 0;
  const input = { model: subject, view: subject.view, batches, seed };
  const counted = (what: string) => between(what, ++done, total);
  const score = async (scoring: Scoring) => {
    const scores = new Map<CriterionId, Scores>();
    for (const one of criteria) scores.set(one.id, checked(await one.score(scoring), one.label));
    return scores;
  };
  const scores = await withScoring(gpu, { ...input, between: counted }, score);
  return (id) => scores.get(id)!;
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
