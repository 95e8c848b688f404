import { InputError, parseJson, plain, refuse } from '../formats/refusal';
import { sha256Of } from '../formats/sha256';
import { parseTask, parseTaskIndex, type Task, type TaskIndex, type TaskInfo } from './task';

/** Reads a file by its path under public/tasks: fetch in the page, the disk in Node. */
export type TaskReader = (path: string) => Promise<ArrayBuffer>;

const INDEX = 'index.json';
const MAX_BYTES = 16e6;

/** The list of tasks, without their items. @throws InputError; whatever `read` throws. */
export async function readTaskIndex(read: TaskReader): Promise<TaskIndex> {
  return parseTaskIndex(parseJson(await read(INDEX), `tasks/${INDEX}`, MAX_BYTES));
}

/** One task with its items. @throws InputError when it is not the file that the index describes. */
export async function readTask(read: TaskReader, info: TaskInfo): Promise<Task> {
  const subject = `tasks/${info.file}`;
  const bytes = await read(info.file);
  const digest = await sha256Of(bytes);
  if (digest !== null && digest !== info.sha256) {
    refuse(subject, `it is not the file that ${INDEX} describes (sha256); build the tasks again or reload`);
  }
  const task = parseTask(info, parseJson(bytes, subject, MAX_BYTES));
  if (task.items.length !== info.items) {
    refuse(subject, `it has ${task.items.length} items, but ${INDEX} says ${info.items}`);
  }
  return task;
}

/** Entries by their names, in the order of the index; "all" is every one. @throws InputError for an unknown name. */
export function chooseTasks({ tasks }: TaskIndex, names: 'all' | readonly string[]): TaskInfo[] {
  if (names === 'all') return tasks;
  const unknown = names.find((name) => !tasks.some((task) => task.name === name));
  if (unknown !== undefined) {
    throw new InputError(
      `There is no task ${plain(unknown)}: choose among ${tasks.map(({ name }) => name).join(', ')}.`,
    );
  }
  return tasks.filter(({ name }) => names.includes(name));
}

/** The first `limit` items, the same ones for every model: their order in the file is a random one. */
export function limitItems(task: Task, limit: number): Task {
  return task.form === 'choice'
    ? { ...task, items: task.items.slice(0, limit) }
    : { ...task, items: task.items.slice(0, limit) };
}
