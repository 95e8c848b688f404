import { limitItems, readTask, readTaskIndex } from '../evaluation/read-tasks';
import { scoreTasks } from '../evaluation/score-tasks';
import type { FlatModel } from '../llama/parameters';
import { device, needSource, post, type LabState } from './environment';
import type { Job } from './jobs';
import type { Command } from './protocol';
import { checkSameSource, finishedRun } from './runs';

type ScoreCommand = Extract<Command, { type: 'scoreTasks' }>;

/**
 * Scores one of the models on all tasks of the site, one `scored` a task.
 *
 * @throws one sentence, such as for a model without a tokenizer; the job's reason when it is cancelled
 */
export async function scoreModel(state: LabState, command: ScoreCommand, job: Job): Promise<void> {
  const { id, limit } = command;
  const { tokenizer } = needSource(state);
  if (!tokenizer) throw new Error('The source model has no tokenizer.json, so it cannot read the tasks.');
  const model = await chosenModel(state, command);
  const gpu = await device(state);
  const read = (path: string) => state.environment.read(`tasks/${path}`, { signal: job.signal });
  const index = await readTaskIndex(read);
  const tasks = await Promise.all(
    index.tasks.map(async (info) => limitItems(await readTask(read, info), limit)),
  );
  await scoreTasks(gpu, model, tokenizer, tasks, {
    between: ({ task, items, totalItems, share }) =>
      job.progress(`${task}, item ${items} of ${totalItems}`, share),
    onResult: (result) => post(state, { type: 'scored', id, results: [result] }),
  });
  gpu.throwOnError();
}

/** @throws one sentence when there is no such model */
async function chosenModel(state: LabState, { run, which }: ScoreCommand): Promise<FlatModel> {
  if (which === 'source' || run === null) return needSource(state);
  const finished = await finishedRun(state, run);
  checkSameSource(state, finished);
  const model = finished[which];
  if (!model) throw new Error('This run has no retrained model: choose another.');
  return model;
}
