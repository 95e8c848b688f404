import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chooseTasks, limitItems, readTask, readTaskIndex } from './read-tasks';
import { parseTask, type TaskInfo } from './task';
import { choiceTask, lastWordTask } from './testing';

const encoder = new TextEncoder();

/** A site of tasks in memory, as the build writes it. */
function siteOf(...tasks: { info: TaskInfo; items: readonly unknown[] }[]) {
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

describe('task files', () => {
  it('come in as they were written', async () => {
    const { infos, read } = siteOf(choiceTask, lastWordTask);
    const index = await readTaskIndex(read);
    expect(index.tasks.map(({ name }) => name)).toEqual(['choices', 'words']);
    expect(await readTask(read, index.tasks[0]!)).toEqual({ ...choiceTask, info: infos[0] });
    expect(await readTask(read, index.tasks[1]!)).toEqual({ ...lastWordTask, info: infos[1] });
  });

  it('are refused when they are not those of the index', async () => {
    const { files, infos, read } = siteOf(choiceTask);
    const info = infos[0]!;
    files.set(info.file, encoder.encode(JSON.stringify({ name: 'choices', items: [] })));
    await expect(readTask(read, info)).rejects.toThrow(/tasks\/choices.json: it is not the file/);
    const fewer = siteOf({ info: { ...choiceTask.info, items: 9 }, items: choiceTask.items });
    await expect(readTask(fewer.read, fewer.infos[0]!)).rejects.toThrow(/has 3 items, but .* says 9/);
  });

  it.each([
    ['an answer that is no choice', { answer: 4 }, /items\[0\]\.answer must be the place of one/],
    ['one choice', { choices: ['a'] }, /items\[0\]\.choices must have at least 2 entries/],
    ['an empty choice', { choices: ['a', ''] }, /choices\[1\]/],
    ['no context', { context: undefined }, /items\[0\]\.context must be a text, but it is missing/],
    ['an id twice', { id: choiceTask.items[1]!.id }, /items must not have an id twice/],
  ])('with %s are refused in one sentence', (_, change, expected) => {
    const items = [{ ...choiceTask.items[0]!, ...change }, ...choiceTask.items.slice(1)];
    expect(() => parseTask(choiceTask.info, { name: 'choices', items })).toThrow(expected);
  });

  it('are chosen by name, in the order of the index', async () => {
    const { read } = siteOf(choiceTask, lastWordTask);
    const index = await readTaskIndex(read);
    const names = (chosen: 'all' | string[]) => chooseTasks(index, chosen).map(({ name }) => name);
    expect(names('all')).toEqual(['choices', 'words']);
    expect(names(['words', 'choices'])).toEqual(['choices', 'words']);
    expect(() => names(['word'])).toThrow('There is no task word: choose among choices, words.');
  });

  it('are cut to their first items', () => {
    expect(limitItems(choiceTask, 2).items).toEqual(choiceTask.items.slice(0, 2));
    expect(limitItems(lastWordTask, 99)).toEqual(lastWordTask);
  });
});
