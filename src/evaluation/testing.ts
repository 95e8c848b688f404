import { createHash } from 'node:crypto';
import type { Task, TaskInfo } from './task';

/** For tests: one small task of each form, and the files that a site has of tasks. */

const info = (name: string, form: TaskInfo['form'], items: number): TaskInfo => ({
  name,
  title: `Made ${name}`,
  description: 'made for a test',
  form,
  domain: null,
  metric: 'acc',
  chance: 0.25,
  items,
  file: `${name}.json`,
  sha256: '0'.repeat(64),
});

export const choiceTask = {
  form: 'choice',
  info: info('choices', 'choice', 3),
  items: [
    {
      id: 'c1',
      context: 'The cat sat on the',
      choices: [' mat', ' green and blue'],
      answer: 0,
      group: 'animals',
    },
    { id: 'c2', context: '', choices: ['They are here.', 'They is here.', 'Them are here.'], answer: 0 },
    { id: 'c3', context: 'two plus two is ', choices: ['five', 'four'], answer: 1, group: 'sums' },
  ],
} satisfies Task;

export const lastWordTask = {
  form: 'last_word',
  info: info('words', 'last_word', 2),
  items: [
    { id: 'w1', context: 'When the rain had stopped she walked along the', word: ' road' },
    { id: 'w2', context: 'Open the', word: ' window' },
  ],
} satisfies Task;

/** Tasks as files in memory, as the build writes them: by their path under public/tasks. */
export function taskSite(...tasks: { info: TaskInfo; items: readonly unknown[] }[]) {
  const encoder = new TextEncoder();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const infos = tasks.map(({ info, items }) => {
    const bytes = encoder.encode(JSON.stringify({ name: info.name, items }));
    files.set(info.file, bytes);
    return { ...info, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  const index = { version: 1, corpus_manifest_sha256: '0'.repeat(64), tasks: infos };
  files.set('index.json', encoder.encode(JSON.stringify(index)));
  const read = async (path: string) => files.get(path)!.slice().buffer;
  return { files, infos, read };
}
