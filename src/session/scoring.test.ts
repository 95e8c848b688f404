import { describe, expect, it } from 'vitest';
import { choiceTask, lastWordTask, taskSite } from '../evaluation/testing';
import { nodeGpu } from '../gpu/node';
import { modelFiles, openLab, siteFiles, smallExperiment } from './testing';

const gpu = await nodeGpu();

/** The small site with tasks; the first has `copies` times its items. */
function siteWithTasks(copies = 1) {
  const items = Array.from({ length: copies }, (_, copy) =>
    choiceTask.items.map((item) => ({ ...item, id: `${item.id} ${copy}` })),
  ).flat();
  const site = siteFiles();
  const many = { info: { ...choiceTask.info, items: items.length }, items };
  for (const [path, bytes] of taskSite(many, lastWordTask).files) site.set(`tasks/${path}`, bytes.buffer);
  return site;
}

describe('tasks', () => {
  it('are scored for the source and for both models of a run', async () => {
    const lab = openLab(gpu, siteWithTasks());
    await lab.open();
    await lab.send({ type: 'scoreTasks', id: 1, which: 'source', limit: 2 });
    expect(lab.of('scoring').at(-1)).toMatchObject({ id: 1, totalItems: 4 });
    const source = lab.of('scored').flatMap(({ results }) => results);
    expect(source.map(({ task, items }) => [task.name, items])).toEqual([
      ['choices', 2],
      ['words', 2],
    ]);
    expect(lab.of('scored').map(({ done }) => done)).toEqual([false, false, true]);

    await lab.run(smallExperiment(2));
    for (const [id, which] of [
      [2, 'pruned'],
      [3, 'retrained'],
      [4, 'source'],
    ] as const) {
      await lab.send({ type: 'scoreTasks', id, which, limit: 2 });
    }
    const sums = (id: number) =>
      lab
        .of('scored')
        .filter((report) => report.id === id)
        .flatMap(({ results }) => results.flatMap((result) => result.outcomes.map((o) => o.logLikelihoods)));
    expect(sums(4)).toEqual(sums(1));
    expect(sums(2)).not.toEqual(sums(1));
    expect(sums(3)).not.toEqual(sums(2));
    expect(lab.of('failed')).toEqual([]);
  });

  it('that are cancelled end, and say nothing more', async () => {
    const lab = openLab(gpu, siteWithTasks(2000));
    await lab.open();
    const scoring = lab.send({ type: 'scoreTasks', id: 5, which: 'source', limit: 100_000 });
    await lab.until((report) => report.type === 'scoring');
    await lab.send({ type: 'cancelScoring', id: 5 });
    await scoring;
    expect(lab.of('scored')).toEqual([{ type: 'scored', id: 5, results: [], done: true }]);
    const told = lab.reports.length;
    await lab.send({ type: 'generate', id: 6, prompt: 'a', maxTokens: 1, temperature: 0, seed: 1 });
    expect(lab.reports.slice(told).every(({ type }) => type === 'generated')).toBe(true);
  });

  it('need a model that is there, and a tokenizer', async () => {
    const lab = openLab(gpu, siteWithTasks());
    await lab.open();
    await lab.send({ type: 'scoreTasks', id: 1, which: 'pruned', limit: 2 });
    expect(lab.of('failed').at(-1)?.message).toMatch(/no pruned model yet/);
    expect(lab.of('scored')).toEqual([{ type: 'scored', id: 1, results: [], done: true }]);
    await lab.send({ type: 'openFiles', files: modelFiles(undefined, null), baseUrl: '/' });
    await lab.send({ type: 'scoreTasks', id: 2, which: 'source', limit: 2 });
    expect(lab.of('failed').at(-1)?.message).toMatch(/no tokenizer.json/);
  });
});
