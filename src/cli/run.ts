import type { Corpus } from '../data/corpus';
import { readFamily } from '../data/model-family';
import type { Plan } from '../experiment/interventions';
import type { Gpu } from '../gpu/device';
import type { RunEvent } from '../run/events';
import { usesScalingLaw } from '../run/reference-losses';
import { resumeRun, runExperiment, type RunModels, type SavedRun } from '../run/run';
import type { RunContext, RunKeeper } from '../run/run-context';
import { createRunControl } from '../run/run-control';
import { runSteps } from '../run/run-size';
import { VERSION } from '../run/version';
import { Interrupted } from './command';
import { readSiteFile, type OpenedModel } from './files';
import { createProgress, secondsLeft } from './progress';

export interface TerminalRun {
  opened: OpenedModel;
  corpus: Corpus;
  gpu: Gpu;
  keeper?: RunKeeper;
  /** Steps between two checkpoints, instead of the experiment's. */
  checkpointEvery?: number | undefined;
  /** Hears every event. */
  hear?(event: RunEvent): void;
  /** The command that goes on with the run; where there is one, Ctrl-C writes a checkpoint first. */
  goOn?: string;
}

/**
 * Runs a plan to its end, or goes on with a kept run, with progress and time left on stderr.
 *
 * @throws Interrupted after Ctrl-C, when the run has been kept
 */
export async function runInTerminal(
  { plan, saved }: { plan: Plan; saved: SavedRun | null },
  { opened, corpus, gpu, keeper, checkpointEvery, hear, goOn }: TerminalRun,
): Promise<RunModels> {
  const { source } = opened;
  const { experiment } = plan;
  const family = usesScalingLaw(experiment) ? await readFamily(readSiteFile, source.weightsSha256) : [];
  const totalSteps = runSteps(experiment);
  const progress = createProgress();
  let step = saved?.state.step ?? 0;
  const first = step;
  /** Steps of a race, each worth one of retraining. */
  let raced = 0;
  const control = createRunControl({
    elapsedBefore: saved?.state.elapsedMs ?? 0,
    // Only Ctrl-C pauses a run here, and a paused run waits once it has been kept.
    onHold: () => control.cancel(),
  });
  const before = control.elapsedMs();
  let interrupted = false;
  const interrupt = () => {
    if (interrupted || !goOn) process.exit(130);
    interrupted = true;
    progress.end();
    process.stderr.write('Stopping: a checkpoint is written first; press Ctrl-C again to stop at once.\n');
    control.pause();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const context: RunContext = {
    gpu,
    source,
    corpus,
    family,
    control,
    version: VERSION,
    keeper,
    checkpointEvery,
    refuseChange: (message) => process.stderr.write(`${message}\n`),
    emit(event) {
      hear?.(event);
      if (event.type !== 'step') return;
      step = event.step;
      progress.say(
        `${event.stage} step ${step} of ${totalSteps}, loss ${event.loss.toFixed(3)}, ${timeLeft(raced)}`,
      );
    },
    activity(what, done, total, finished) {
      if (finished) raced = done;
      progress.say(finished ? `${what}, ${timeLeft(total)}` : `${what}: ${done} of ${total}`);
    },
  };
  const timeLeft = (race: number) =>
    secondsLeft(control.elapsedMs() - before, raced + step - first, race + totalSteps - first);
  try {
    const models = await (saved ? resumeRun(saved, context) : runExperiment(plan, context));
    gpu.throwOnError();
    return models;
  } catch (error) {
    if (!interrupted) throw error;
    throw new Interrupted(`Stopped after step ${step}. To go on: npm run -s cli -- ${goOn}`);
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
