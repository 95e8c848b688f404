import { evaluationWindows } from '../data/sampler';
import { evaluateSets, evaluationBatch, meanLoss } from '../llama/evaluate';
import { withModel } from '../llama/inference';
import { loadCorpus } from './corpus';
import { device, needSource, post, type LabState } from './environment';
import type { Job } from './jobs';
import type { Command } from './protocol';
import { comparedModels } from './runs';

/**
 * Loss by domain over the validation split, of the source and, where a run is named, what came out of it.
 *
 * @throws one sentence, such as for a model that has not the corpus' vocabulary; the job's reason
 */
export async function evaluateDomains(
  state: LabState,
  { id, run, contextLength, windows }: Extract<Command, { type: 'evaluate' }>,
  job: Job,
): Promise<void> {
  const source = needSource(state);
  const models = await comparedModels(state, run);
  const gpu = await device(state);
  const corpus = await loadCorpus(state, source, 0);
  const context = Math.min(contextLength, source.config.maxPositionEmbeddings);
  const sets = corpus.domains.map((d) => evaluationWindows(d, context, windows));
  const shape = { batch: evaluationBatch(context), context };
  for (const [m, { which, model }] of models.entries()) {
    const what = `Evaluating the ${which} model on the validation split`;
    const sums = await withModel(gpu, `${which} evaluation`, model, shape, (inference) =>
      evaluateSets(inference, sets, (done, total) => job.progress(what, (m + done / total) / models.length)),
    );
    gpu.throwOnError();
    const tokens = sums.map((s) => s.predictions);
    post(state, { type: 'evaluated', id, which, loss: sums.map(meanLoss), tokens });
  }
}
