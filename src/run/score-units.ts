import type { Experiment } from '../experiment/schema';
import { criterion } from '../pruning/scores';
import { calibrationBatches } from '../pruning/scores/calibration';
import { compensates } from '../pruning/scores/compensation';
import type { Scoring } from '../pruning/scores/criterion';
import type { MaskOptions, ScoresOfAll } from '../pruning/scores/mask';
import { withScoring } from '../pruning/scores/scoring';
import type { ActivationStatistics } from '../pruning/scores/statistics';
import { calibrationSequences } from './calibration';
import type { Run, Subject } from './run-context';

/** Scores of layers and of the other sets, as the experiment asks for them. */
interface UnitScores extends ScoresOfAll {
  /** For what makes up for closed units; null where nothing does. */
  activations: ActivationStatistics | null;
}

/** Uses what scores of the subject are made from, on the experiment's calibration sequences. */
function scored<T>(run: Run, subject: Subject, use: (scoring: Scoring) => Promise<T>): Promise<T> {
  const { experiment } = run.state;
  const input = {
    model: subject,
    view: subject.view,
    batches: calibrationBatches(calibrationSequences(experiment, run.corpus)),
    seed: experiment.calibration.seed,
    async between(what: string, done: number, total: number) {
      run.activity(what, done, total);
      await run.control.work();
    },
  };
  return withScoring(run.gpu, input, use);
}

export function scoreUnits(run: Run, subject: Subject): Promise<UnitScores> {
  const { scores, basis } = run.state.experiment;
  return scored(run, subject, async (scoring) => {
    const layers = await criterion(scores.layers).score(scoring);
    const widths = await criterion(scores.widths).score(scoring);
    // In a turned stream the axes stand in the order of their importance.
    const axes = Float64Array.from({ length: subject.config.hiddenSize }, (_, i) => -i);
    return {
      layers,
      widths: basis === 'own' ? widths : { values: { ...widths.values, hidden: axes } },
      activations: compensates(run.state.experiment) ? await scoring.activations() : null,
    };
  });
}

/** What settings make of scores, once those are known. */
export function scoreOptions({ target, gates, pins, scores }: Experiment): MaskOptions {
  return { target, sets: gates, pins, protectEnds: scores.protectEnds };
}
