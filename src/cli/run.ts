import type { Corpus } from '../data/corpus';
import { readFamily } from '../data/model-family';
import { createRunControl } from '../run/run-control';
import type { RunEvent } from '../run/events';
import { usesScalingLaw } from '../run/reference-losses';
import { runExperiment, type RunModels } from '../run/run';
import { runSteps } from '../run/run-size';
import type { Experiment } from '../experiment/schema';
import { VERSION } from '../run/version';
import type { Gpu } from '../gpu/device';
import { readSiteFile, type OpenedModel } from './files';
import { createProgress, secondsLeft } from './progress';

/** Runs an experiment to its end, with progress and time left on stderr; `tell` hears every event. */
export async function runInTerminal(
  experiment: Experiment,
  { source }: OpenedModel,
  corpus: Corpus,
  gpu: Gpu,
  tell: (event: RunEvent) => void = () => undefined,
): Promise<RunModels> {
  const family = usesScalingLaw(experiment) ? await readFamily(readSiteFile, source.weightsSha256) : [];
  const control = createRunControl();
  const totalSteps = runSteps(experiment);
  const progress = createProgress();
  const models = await runExperiment(
    { experiment, interventions: [] },
    {
      gpu,
      source,
      corpus,
      family,
      turn: control,
      version: VERSION,
      emit(event) {
        tell(event);
        if (event.type !== 'step') return;
        const left = secondsLeft(control.elapsedMs(), event.step, totalSteps);
        progress.say(
          `${event.stage} step ${event.step} of ${totalSteps}, loss ${event.loss.toFixed(3)}, ${left}`,
        );
      },
      activity: (what, done, total) => progress.say(`${what}: ${done} of ${total}`),
    },
  );
  progress.end();
  gpu.throwOnError();
  return models;
}
