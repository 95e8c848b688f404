import { makeReport } from '../report/run-report';
import { createRunControl } from '../run/run-control';
import { neededTokens } from '../run/run-size';
import { VERSION } from '../run/version';
import { loadCorpus } from './corpus';
import { device, needSource, post, untilAborted, type LabState } from './environment';
import type { Job } from './jobs';
import type { Command } from './protocol';
import { checkSameSource, finishedRun } from './runs';

/**
 * Measures the models of a finished run side by side, one `compared` after each.
 *
 * @throws one sentence, such as when the run has not finished; the job's reason when it is cancelled
 */
export async function compareModels(
  state: LabState,
  { id, run, request }: Extract<Command, { type: 'compare' }>,
  job: Job,
): Promise<void> {
  const source = needSource(state);
  const finished = await finishedRun(state, run);
  checkSameSource(state, finished);
  const gpu = await device(state);
  const trainTokens = request.arms.some((arm) => arm === 'scratch' || arm === 'rewarmed')
    ? neededTokens(finished.experiment)
    : 0;
  const corpus = await untilAborted(loadCorpus(state, source, trainTokens), job.signal);
  const control = createRunControl();
  job.signal.addEventListener('abort', () => control.cancel(), { once: true });
  const report = await makeReport(request, {
    gpu,
    source,
    tokenizer: source.tokenizer,
    finished,
    corpus,
    read: (path) => state.environment.read(path, { signal: job.signal }),
    control,
    version: VERSION,
    progress: job.progress,
    partial: (report) => post(state, { type: 'compared', id, report }),
  });
  gpu.throwOnError();
  post(state, { type: 'compared', id, report });
}
