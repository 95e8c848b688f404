import { uploadModel } from '../llama/inference';
import { turnedModel } from '../pruning/basis/axes';
import { calibrationBatches } from '../pruning/scores/calibration';
import { calibrationSequences } from './calibration';
import type { Run, Subject } from './run-context';

/**
 * What is pruned: the source, or the source with its residual stream turned (docs/method.md, section 13), which is the
 * same function. Measured on the calibration sequences each time, so that a run that is taken up again has the same.
 *
 * @param tells whether the log hears of the axes
 */
export async function prepareSubject(run: Run, tells: boolean): Promise<Subject> {
  const { gpu, source, state, corpus } = run;
  const { basis } = state.experiment;
  if (basis === 'own') return { ...source, view: run.sourceOnGpu.view(), release: () => undefined };
  const batches = calibrationBatches(calibrationSequences(state.experiment, corpus));
  const tokens = batches.map((batch) => batch.tokens);
  const { model, shares } = await turnedModel(
    gpu,
    source,
    basis,
    tokens,
    batches[0]!.shape,
    async (done, total) => {
      run.activity('Measuring the axes of the residual stream', done, total);
      await run.control.work();
    },
  );
  if (tells) run.emit({ type: 'axes', step: state.step, shares: [...shares] });
  const view = uploadModel(gpu, 'turned source model', model);
  return { ...model, view, release: () => view.destroy() };
}
