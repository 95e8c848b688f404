import type { Corpus } from '../data/corpus';
import type { Experiment } from '../experiment/schema';
import { finite } from '../fields/finite';
import type { Gpu } from '../gpu/device';
import { GATE_SETS } from '../llama/gates';
import { criterion, type CriterionId } from '../pruning/scores';
import { calibrationBatches } from '../pruning/scores/calibration';
import { compensates } from '../pruning/scores/compensation';
import type { Scores, UnitScores } from '../pruning/scores/criterion';
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

/** The scores that an experiment asks for, of this model, on its own calibration sequences. */
export async function scoreUnits(
  gpu: Gpu,
  subject: Scored,
  { experiment, corpus, between }: { experiment: Experiment; corpus: Corpus } & Pick<ScoredOn, 'between'>,
): Promise<RunScores> {
  const { scores, calibration, basis } = experiment;
  const sequences = calibrationSequences(experiment, corpus);
  const on = { sequences, seed: calibration.seed, between };
  const { by, activations } = await scoreBy(gpu, subject, on, [scores.layers, scores.widths]);
  const widths = by(scores.widths);
  // In a turned stream the axes stand in the order of their importance.
  const axes = Float64Array.from({ length: subject.config.hiddenSize }, (_, i) => -i);
  return {
    layers: by(scores.layers),
    widths: basis === 'own' ? widths : { values: { ...widths.values, hidden: axes } },
    activations: compensates(experiment) ? activations : null,
  };
}

/**
 * Scores a model by some criteria; what they share is measured once.
 *
 * @throws NotFiniteError that names the unit; the reason of `between`
 */
export async function scoreBy(
  gpu: Gpu,
  subject: Scored,
  { sequences, seed, between }: ScoredOn,
  ids: readonly CriterionId[],
): Promise<{ by: (id: CriterionId) => Scores; activations: ActivationStatistics | null }> {
  const batches = calibrationBatches(sequences);
  const criteria = [...new Set(ids)].map(criterion);
  const total = batches.length * passes(criteria, subject.config.numHiddenLayers);
  let done = 0;
  const input = { model: subject, view: subject.view, batches, seed };
  const counted = (what: string) => between(what, ++done, total);
  return withScoring(gpu, { ...input, between: counted }, async (scoring) => {
    const scores = new Map<CriterionId, Scores>();
    for (const one of criteria) scores.set(one.id, checked(await one.score(scoring), one.label));
    const measured = criteria.some(({ reads }) => reads?.statistics === 'activations');
    return { by: (id) => scores.get(id)!, activations: measured ? await scoring.activations() : null };
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
