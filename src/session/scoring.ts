import { limitItems, readTask, readTaskIndex } from '../evaluation/read-tasks';
import { scoreTasks } from '../evaluation/score-tasks';
import type { FlatModel } from '../llama/parameters';
import { createThrottle } from '../run/throttle';
import { createShareTimeLeft } from '../run/time-left';
import { device, needSource, post, type LabState } from './environment';
import type { Command, ScoredModel } from './protocol';

type ScoreCommand = Extract<Command, { type: 'scoreTasks' }>;

/** Thrown out of a scoring that nobody waits for any more. */
class ScoringCancelled extends Error {}

/** More often than this nobody reads how far it is. */
const PROGRESS_MS = 100;

/**
 * Scores one of the models on all tasks of the site, one `scored` a task. Ends with a `scored` that is done, also
 * when it was cancelled or failed.
 *
 * @throws one sentence, such as for a model without a tokenizer
 */
export async function scoreModel(state: LabState, command: ScoreCommand): Promise<void> {
  const { id, which, limit } = command;
  try {
    const { tokenizer } = needSource(state);
    if (!tokenizer) throw new Error('The source model has no tokenizer.json, so it cannot read the tasks.');
    const model = chosenModel(state, which);
    const gpu = await device(state);
    const read = (path: string) => state.environment.read(`tasks/${path}`);
    const index = await readTaskIndex(read);
    const tasks = await Promise.all(
      index.tasks.map(async (info) => limitItems(await readTask(read, info), limit)),
    );
    const due = createThrottle(PROGRESS_MS);
    const secondsLeft = createShareTimeLeft();
    await scoreTasks(gpu, model, tokenizer, tasks, {
      between({ task, items, totalItems, share }) {
        if (!state.wanted.has(id)) throw new ScoringCancelled();
        if (!due()) return;
        post(state, { type: 'scoring', id, task, items, totalItems, share, secondsLeft: secondsLeft(share) });
      },
      onResult: (result) => post(state, { type: 'scored', id, results: [result], done: false }),
    });
    gpu.throwOnError();
  } catch (error) {
    if (!(error instanceof ScoringCancelled)) throw error;
  } finally {
    post(state, { type: 'scored', id, results: [], done: true });
  }
}

/** @throws one sentence when there is no such model */
function chosenModel(state: LabState, which: ScoredModel): FlatModel {
  const model = which === 'source' ? state.source : state.finished?.[which];
  if (!model) throw new Error('There is no pruned model yet: press Prune and let the run finish.');
  return model;
}
