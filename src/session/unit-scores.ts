import { parseExperiment } from '../experiment/schema';
import { uploadModel } from '../llama/inference';
import { joined } from '../pruning/scores/criterion';
import { checkCalibration } from '../run/calibration';
import { neededTokens } from '../run/run-size';
import { scoreUnits } from '../run/score-units';
import { loadCorpus } from './corpus';
import { device, needSource, post, type LabState } from './environment';
import type { Job } from './jobs';
import type { Command } from './protocol';

/**
 * Scores the units of the source as a run with these settings does at its start.
 *
 * @throws one sentence, such as for a model that has not the corpus' vocabulary; the job's reason
 */
export async function scoreSourceUnits(
  state: LabState,
  { id, experiment: asked }: Extract<Command, { type: 'scoreUnits' }>,
  job: Job,
): Promise<void> {
  const experiment = parseExperiment(asked);
  const source = needSource(state);
  checkCalibration(experiment, source.config);
  const gpu = await device(state);
  const corpus = await loadCorpus(state, source, neededTokens(experiment));
  job.progress('Uploading the source model', 0);
  const view = uploadModel(gpu, 'scored model', source);
  const between = (what: string, done: number, total: number) => job.progress(what, done / total);
  const scores = await scoreUnits(gpu, { ...source, view }, { experiment, corpus, between }).finally(() =>
    view.destroy(),
  );
  gpu.throwOnError();
  const { name, weightsSha256 } = source;
  post(state, { type: 'unitScores', id, source: name, weightsSha256, experiment, scores: joined(scores) });
}
