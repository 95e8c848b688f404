import { known, weightsHash } from '../formats/weights-hash';
import { parameterLayout, type FlatModel } from '../llama/parameters';
import { cutModel } from '../pruning/surgery';
import type { SurgeryEvent } from './events';
import type { LearntMask } from './learn-masks';
import { domainLosses, largestLogitDifference, withEvaluation } from './losses';
import type { Run } from './run-context';

/** Cuts the source to its mask, and measures that the masked and the cut model are the same function. */
export async function cut(
  run: Run,
  { parameters, mask }: LearntMask,
): Promise<{ pruned: FlatModel; surgery: SurgeryEvent }> {
  const { state, source } = run;
  const { config } = source;
  run.activity('Cutting the model to shape', 0, 1);
  const { kept, ...pruned } = cutModel(config, parameters, mask);
  const compared = await withEvaluation(run, 'masked model', { config, parameters }, async (masked) => {
    masked.setGates(mask);
    const maskedLoss = await domainLosses(run, masked, 'Evaluating the masked model at its final shape');
    return withEvaluation(run, 'pruned model', pruned, async (inference) => ({
      loss: {
        masked: maskedLoss,
        pruned: await domainLosses(run, inference, 'Evaluating the pruned model'),
      },
      difference: await largestLogitDifference(masked, inference, run.windows),
    }));
  });
  return {
    pruned,
    surgery: {
      type: 'surgery',
      step: state.step,
      elapsedMs: run.control.elapsedMs(),
      config: pruned.config,
      parameters: parameterLayout(pruned.config).parameterCount,
      ...known(await weightsHash(pruned)),
      kept,
      maskedVersusPruned: compared.difference,
      loss: compared.loss,
    },
  };
}
