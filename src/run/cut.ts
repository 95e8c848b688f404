import { known, weightsHash } from '../formats/weights-hash';
import { parameterLayout, type FlatModel } from '../llama/parameters';
import { closedOrOpen, nearlyDead } from '../pruning/masks';
import { cutModel } from '../pruning/surgery';
import type { SurgeryEvent } from './events';
import { domainLosses, largestLogitDifference, withEvaluation } from './losses';
import type { DecidedMask, Run } from './run-context';

/** Cuts a model to its mask, and measures that the masked and the cut model are the same function. */
export async function cut(
  run: Run,
  { model, mask, logAlpha, moments }: DecidedMask,
): Promise<{ pruned: FlatModel; surgery: SurgeryEvent; moments: Map<string, Float32Array> }> {
  const { state } = run;
  run.activity('Cutting the model to shape', 0, 1);
  const { kept, ...pruned } = cutModel(model.config, model.parameters, mask);
  const compared = await withEvaluation(run, 'masked model', model, async (masked) => {
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
  // A moment goes with its weight; what folds into the weight has no part in it.
  const open = closedOrOpen(mask);
  return {
    pruned,
    moments: new Map(
      [...moments].map(([name, values]) => [name, cutModel(model.config, values, open).parameters]),
    ),
    surgery: {
      type: 'surgery',
      step: state.step,
      elapsedMs: run.control.elapsedMs(),
      config: pruned.config,
      parameters: parameterLayout(pruned.config).parameterCount,
      ...known(await weightsHash(pruned)),
      kept,
      // Where scores decided, there is no gate but the mask, which what is kept has at 1.
      nearlyDead: nearlyDead(model.config, kept, logAlpha ?? mask, state.experiment.gates),
      maskedVersusPruned: compared.difference,
      loss: compared.loss,
    },
  };
}
