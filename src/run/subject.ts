import { turnsStream } from '../pruning/basis/fields';
import type { Gpu } from '../gpu/device';
import { uploadModel } from '../llama/inference';
import type { FlatModel } from '../llama/parameters';
import { turnedModel } from '../pruning/basis/axes';
import { calibrationBatches } from '../pruning/scores/calibration';
import { calibrationSequences } from './calibration';
import type { Run, Subject } from './run-context';
import type { ScoredFor } from './score-units';
import { scoredFor } from './stages';

/**
 * What is pruned: the source, or the source with its residual stream turned (docs/method.md, section 13), which is the
 * same function. Measured on the calibration sequences each time, so that a run that is taken up again has the same.
 *
 * @param tells whether the log hears of the axes
 */
export async function prepareSubject(run: Run, tells: boolean): Promise<Subject> {
  const { gpu, source, state } = run;
  if (!turnsStream(state.experiment)) {
    return { ...source, view: run.sourceOnGpu.view(), release: () => undefined };
  }
  const { subject, shares } = await turnedSubject(gpu, source, scoredFor(run));
  if (tells) run.emit({ type: 'axes', step: state.step, shares: [...shares] });
  return subject;
}

/** The source along the axes that the experiment asks for, and each axis' share of what they were found by. */
export async function turnedSubject(gpu: Gpu, source: FlatModel, { experiment, corpus, between }: ScoredFor) {
  const { basis } = experiment;
  if (basis === 'own') throw new Error('In its own basis a model is not turned.');
  const batches = calibrationBatches(calibrationSequences(experiment, corpus));
  const tokens = batches.map((batch) => batch.tokens);
  const during = (done: number, total: number) =>
    between('Measuring the axes of the residual stream', done, total);
  const { model, shares } = await turnedModel(gpu, source, basis, tokens, batches[0]!.shape, during);
  const view = uploadModel(gpu, 'turned source model', model);
  const subject: Subject = { ...model, view, release: () => view.destroy() };
  return { subject, shares };
}
