import type { Experiment } from '../experiment/schema';
import type { FlatModel } from '../llama/parameters';
import { initialParameters } from '../training/initialise';
import { cutConfig } from './cut-config';
import { domainLosses, withEvaluation } from './losses';
import { retrain } from './retrain';
import { beginRun, withSource } from './run';
import type { RunContext } from './run-context';
import { rewarmedExperiment, scratchExperiment } from './scratch-experiment';

/**
 * Trains the control of `experiment` from random weights. Its mixture follows its own excess losses over the source
 * model's, as in a run.
 *
 * @throws the control's reason when it is cancelled, or an Error of one sentence.
 */
export function trainFromScratch(experiment: Experiment, context: RunContext): Promise<FlatModel> {
  const config = cutConfig(context.source.config, experiment);
  const start = { config, parameters: initialParameters(config, experiment.seed) };
  return trainControl(scratchExperiment(experiment), start, context);
}

/** Trains the source itself for as long as the run of `experiment` trains in all. @throws as `trainFromScratch` */
export function trainSourceOn(experiment: Experiment, context: RunContext): Promise<FlatModel> {
  const { config, parameters } = context.source;
  return trainControl(rewarmedExperiment(experiment), { config, parameters }, context);
}

async function trainControl(
  experiment: Experiment,
  start: FlatModel,
  context: RunContext,
): Promise<FlatModel> {
  const plan = { experiment, interventions: [] };
  const run = await withSource(context, (onGpu) => beginRun(plan, { ...context, keeper: undefined }, onGpu));
  run.state.stage = 'retrain';
  const lossAtStart = await withEvaluation(run, 'model before training', start, (inference) =>
    domainLosses(run, inference, 'Evaluating the model before training'),
  );
  return retrain(run, start, lossAtStart, new Map());
}
