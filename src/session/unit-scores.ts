import { turnsStream } from '../pruning/basis/fields';
import type { Corpus } from '../data/corpus';
import { parseExperiment, type Experiment } from '../experiment/schema';
import type { Gpu } from '../gpu/device';
import { uploadModel } from '../llama/inference';
import { joined } from '../pruning/scores/criterion';
import { checkCalibration } from '../run/calibration';
import { checkContext } from '../run/check-experiment';
import { neededTokens } from '../run/run-size';
import type { Subject } from '../run/run-context';
import { scoreUnits } from '../run/score-units';
import { turnedSubject } from '../run/subject';
import { loadCorpus } from './corpus';
import { device, needSource, post, type LabState, type OpenSource } from './environment';
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
  // A calibration sequence without a length of its own is as long as a window.
  checkContext(experiment, source.config);
  const gpu = await device(state);
  const corpus = await loadCorpus(state, source, neededTokens(experiment));
  const subject = await scoredSubject(gpu, source, { experiment, corpus, job });
  const between = (what: string, done: number, total: number) => job.progress(what, done / total);
  const scores = await scoreUnits(gpu, subject, { experiment, corpus, between }).finally(() =>
    subject.release(),
  );
  gpu.throwOnError();
  const { name, weightsSha256 } = source;
  post(state, { type: 'unitScores', id, source: name, weightsSha256, experiment, scores: joined(scores) });
}

interface ScoredWith {
  experiment: Experiment;
  corpus: Corpus;
  job: Job;
}

/** What a run with these settings would prune: the source, or the source with its stream turned. */
async function scoredSubject(
  gpu: Gpu,
  source: OpenSource,
  { experiment, corpus, job }: ScoredWith,
): Promise<Subject> {
  if (turnsStream(experiment)) {
    // How long turning takes says nothing of the scores that follow: the bar waits.
    const between = (what: string) => job.progress(what, 0);
    return (await turnedSubject(gpu, source, { experiment, corpus, between })).subject;
  }
  job.progress('Uploading the source model', 0);
  const view = uploadModel(gpu, 'scored model', source);
  return { ...source, view, release: () => view.destroy() };
}
