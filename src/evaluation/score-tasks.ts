import { tellingWhere } from '../fields/finite';
import type { Tokenizer } from '../data/tokenizer';
import type { Gpu } from '../gpu/device';
import type { ModelView } from '../llama/model';
import { uploadModel } from '../llama/inference';
import type { FlatModel } from '../llama/parameters';
import { scoreRequests } from './log-likelihood';
import { encodeRequests, type Request } from './request';
import type { TaskResult } from './result';
import { resultOf } from './scoring';
import type { Task } from './task';

/** How far a model is through its tasks. */
export interface ScoringProgress {
  /** Title of the task that is being scored. */
  task: string;
  items: number;
  totalItems: number;
  /** Share of the work done, measured in characters: what the time left is reckoned from. */
  share: number;
}

export interface ScoringOptions {
  /** Called after each batch; may wait (pause) or throw (cancel). */
  between?: (progress: ScoringProgress) => Promise<void> | void;
  /** Called with each task's result as soon as it is there. */
  onResult?: (result: TaskResult) => void;
}

/** Items that are encoded in one go: about ten milliseconds. */
const ENCODED_AT_ONCE = 32;

/** Continuations of an item: its choices, or its one word. */
function continuations(task: Task): { item: { id: string; context: string }; texts: string[] }[] {
  return task.form === 'choice'
    ? task.items.map((item) => ({ item, texts: item.choices }))
    : task.items.map((item) => ({ item, texts: [item.word] }));
}

/**
 * Scores a model on tasks, one after the other, by log-likelihood as lm-evaluation-harness does
 * (docs/evaluation.md). `tokenizer` is the model's own.
 *
 * @throws InputError when an item cannot be scored with this model; NotFiniteError when the model's logits are not
 *   finite; GpuError; whatever `between` throws.
 */
export async function scoreTasks(
  gpu: Gpu,
  model: FlatModel,
  tokenizer: Tokenizer,
  tasks: readonly Task[],
  { between = () => undefined, onResult = () => undefined }: ScoringOptions = {},
): Promise<TaskResult[]> {
  const progress = progressOf(tasks);
  const view = uploadModel(gpu, 'scored', model);
  const results: TaskResult[] = [];
  try {
    for (const task of tasks) {
      const result = await tellingWhere(`Task ${task.info.name}`, () =>
        scoreTask(gpu, view, tokenizer, task, (completed) => between(progress.after(task, completed))),
      );
      onResult(result);
      results.push(result);
    }
  } finally {
    view.destroy();
  }
  return results;
}

async function scoreTask(
  gpu: Gpu,
  view: ModelView,
  tokenizer: Tokenizer,
  task: Task,
  between: (completed: readonly number[]) => Promise<void> | void,
): Promise<TaskResult> {
  const requests: Request[][] = [];
  for (const { item, texts } of continuations(task)) {
    requests.push(encodeRequests(tokenizer, view.config, item, texts));
    if (requests.length % ENCODED_AT_ONCE === 0) {
      await new Promise((resolve) => setTimeout(resolve));
      await between([]);
    }
  }
  const likelihoods = await scoreRequests(gpu, view, requests, between);
  const truncated = requests.flat().filter((request) => request.truncated).length;
  return resultOf(task, likelihoods, truncated);
}

/** Counts items and characters of completed items. */
function progressOf(tasks: readonly Task[]) {
  const work = new Map(
    tasks.map((task) => [
      task,
      continuations(task).map(({ item, texts }) =>
        texts.reduce((sum, text) => sum + item.context.length + text.length, 0),
      ),
    ]),
  );
  const all = [...work.values()].flat();
  const total = all.reduce((sum, characters) => sum + characters, 0);
  let items = 0;
  let characters = 0;
  return {
    after(task: Task, completed: readonly number[]): ScoringProgress {
      items += completed.length;
      for (const item of completed) characters += work.get(task)![item]!;
      return { task: task.info.title, items, totalItems: all.length, share: characters / total };
    },
  };
}
