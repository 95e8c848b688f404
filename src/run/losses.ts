import { allFinite, tellingWhere } from '../fields/finite';
import { evaluateSets, meanLoss, type WindowSet } from '../llama/evaluate';
import { withModel, type Inference } from '../llama/inference';
import type { FlatModel } from '../llama/parameters';
import { logitsRows } from '../llama/workspace';
import { evaluationShape } from './memory';
import type { Run } from './run-context';

/** Windows whose logits decide masked == pruned. */
const COMPARED_WINDOWS = 2;

/** Loss by domain on the run's windows, nats a token. @throws NotFiniteError */
export async function domainLosses(run: Run, inference: Inference, what: string): Promise<number[]> {
  const { step } = run.state;
  const sums = await tellingWhere(step === 0 ? 'Before the first step' : `After step ${step}`, () =>
    evaluateSets(inference, run.windows, async (done, total) => {
      run.activity(what, done, total);
      await run.control.work();
    }),
  );
  return sums.map(meanLoss);
}

/** Uses a model at the shape of the run's evaluations. */
export function withEvaluation<T>(
  { gpu, state }: Run,
  label: string,
  model: FlatModel,
  use: (inference: Inference) => Promise<T>,
): Promise<T> {
  return withModel(gpu, label, model, evaluationShape(state.experiment), use);
}

/** The invariant of surgery: the masked source and the cut model give the same logits. @throws NotFiniteError */
export async function largestLogitDifference(
  masked: Inference,
  pruned: Inference,
  sets: readonly WindowSet[],
): Promise<number> {
  const { batch, context } = masked.shape;
  const windows = sets.slice(0, Math.min(COMPARED_WINDOWS, batch)).map((s) => s.tokens.subarray(0, context));
  const tokens = new Uint32Array(batch * context);
  windows.forEach((w, i) => tokens.set(w, i * context));
  const rows = windows.length * context;
  const chunk = logitsRows(masked.config, masked.shape);
  let largest = 0;
  for (let first = 0; first < rows; first += chunk) {
    const count = Math.min(chunk, rows - first);
    const a = allFinite(await masked.logits(tokens, first, count), 'A logit of the masked model');
    const b = allFinite(await pruned.logits(tokens, first, count), 'A logit of the pruned model');
    for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  }
  return largest;
}
