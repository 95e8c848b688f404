import { cutConfig } from './cut-config';
import type { FlatModel } from '../llama/parameters';
import { initialParameters } from '../training/initialise';
import type { Experiment } from '../experiment/schema';
import { domainLosses, withEvaluation } from './losses';
import { retrain } from './retrain';
import { beginRun, withSource } from './run';
import type { RunContext } from './run-context';
import { scratchExperiment } from './scratch-experiment';

/**
 * Trains the control of `experiment`. Its mixture follows its own excess losses over the source model's, as in a run.
 *
 * @throws the control's reason when it is cancelled, or an Error of one sentence.
 */
export async function trainFromScratch(experiment: Experiment, context: RunContext): Promise<FlatModel> {
  const plan = { experiment: scratchExperiment(experiment), interventions: [] };
  const run = await withSource(context, (onGpu) => beginRun(plan, { ...context, keeper: undefined }, onGpu));
  run.state.stage = 'retrain';
  const config = cutConfig(context.source.config, experiment);
  const start = { config, parameters: initialParameters(config, experiment.seed) };
  const lossAtStart = await withEvaluation(run, 'untrained model', start, (inference) =>
    domainLosses(run, inference, 'Evaluating the untrained model'),
  );
  return retrain(run, start, lossAtStart, new Map());
}
