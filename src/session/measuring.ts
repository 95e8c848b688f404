import { evaluationWindows } from '../data/sampler';
import { evaluateSets, evaluationBatch, meanLoss } from '../llama/evaluate';
import { withModel } from '../llama/inference';
import { createShareTimeLeft } from '../run/time-left';
import { loadCorpus } from './corpus';
import { comparedModels, device, needSource, post, type LabState } from './environment';
import type { Command } from './protocol';

/** Thrown out of an evaluation that nobody waits for any more. */
class EvaluationCancelled extends Error {}

/**
 * Loss by domain over the validation split, of the source and, where there is one, the pruned model.
 *
 * @throws one sentence, such as for a model that has not the corpus' vocabulary
 */
export async function evaluateDomains(
  state: LabState,
  command: Extract<Command, { type: 'evaluate' }>,
): Promise<void> {
  const source = needSource(state);
  const models = comparedModels(state);
  const gpu = await device(state);
  const corpus = await loadCorpus(state, source, 0);
  const context = Math.min(command.contextLength, source.config.maxPositionEmbeddings);
  const sets = corpus.domains.map((d) => evaluationWindows(d, context, command.windows));
  const shape = { batch: evaluationBatch(context), context };
  for (const { which, model } of models) {
    if (!state.wanted.has(command.id)) return;
    const what = `Evaluating the ${which} model on the validation split`;
    const secondsLeft = createShareTimeLeft();
    const measured = withModel(gpu, `${which} evaluation`, model, shape, (inference) =>
      evaluateSets(inference, sets, (done, total) => {
        if (!state.wanted.has(command.id)) throw new EvaluationCancelled();
        post(state, { type: 'activity', what, done, total, secondsLeft: secondsLeft(done / total) });
      }),
    );
    const sums = await measured.catch((error: unknown) => {
      if (error instanceof EvaluationCancelled) return null;
      throw error;
    });
    if (!sums) return;
    gpu.throwOnError();
    const tokens = sums.map((s) => s.predictions);
    post(state, { type: 'evaluated', id: command.id, which, loss: sums.map(meanLoss), tokens, done: true });
  }
}
