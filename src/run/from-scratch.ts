import { prunedConfig } from '../llama/config';
import type { FlatModel } from '../llama/parameters';
import { initialParameters } from '../training/initialise';
import { beginRun, domainLosses, lend, retrain, type RunContext } from './run';
import type { Experiment } from '../experiment/schema';
import { scratchExperiment } from './scratch-experiment';

/**
 * Trains the control of `experiment`. Its mixture follows its own excess losses over the source model's, as in a run.
 *
 * @throws RunCancelled when the control says so, or an Error of one sentence.
 */
export async function trainFromScratch(experiment: Experiment, context: RunContext): Promise<FlatModel> {
  const run = await beginRun(scratchExperiment(experiment), context);
  const config = prunedConfig(context.source.config, experiment.target);
  const start = { config, parameters: initialParameters(config, experiment.seed) };
  const lossAtStart = await lend(run, 'untrained model', start, (inference) =>
    domainLosses(run, inference, 'Evaluating the untrained model'),
  );
  return (await retrain(run, start, lossAtStart)).model;
}
