import { describe, expect, it } from 'vitest';
import { chooseTasks, limitItems, readTask, readTaskIndex } from './read-tasks';
import { parseTask } from './task';
import { choiceTask, lastWordTask, taskSite } from './testing';

describe('task files', () => {
  it('come in as they were written', async () => {
    const { infos, read } = taskSite(choiceTask, lastWordTask);
    const index = await readTaskIndex(read);
    expect(index.tasks.map(({ name }) => name)).toEqual(['choices', 'words']);
    expect(await readTask(read, index.tasks[0]!)).toEqual({ ...choiceTask, info: infos[0] });
    expect(await readTask(read, index.tasks[1]!)).toEqual({ ...lastWordTask, info: infos[1] });
  });

  it('are refused when they are not those of the index', async () => {
    const { files, infos, read } = taskSite(choiceTask);
    const info = infos[0]!;
    files.set(info.file, files.get('index.json')!);
    await expect(readTask(read, info)).rejects.toThrow(/tasks\/choices.json: it is not the file/);
    const fewer = taskSite({ info: { ...choiceTask.info, items: 9 }, items: choiceTask.items });
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
    const { read } = taskSite(choiceTask, lastWordTask);
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
