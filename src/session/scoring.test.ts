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
    await lab.send({ type: 'scoreTasks', id: 1, run: null, which: 'source', limit: 2 });
    expect(lab.of('progress').at(-1)).toMatchObject({
      id: 1,
      what: expect.stringMatching(/item \d of 4/) as string,
    });
    const source = lab.of('scored').flatMap(({ results }) => results);
    expect(source.map(({ task, items }) => [task.name, items])).toEqual([
      ['choices', 2],
      ['words', 2],
    ]);
    expect(lab.of('scored')).toHaveLength(2);
    expect(lab.of('jobEnded')).toEqual([{ type: 'jobEnded', id: 1 }]);

    await lab.run(smallExperiment(2));
    for (const [id, which] of [
      [2, 'pruned'],
      [3, 'retrained'],
      [4, 'source'],
    ] as const) {
      await lab.send({ type: 'scoreTasks', id, run: lab.lastRun(), which, limit: 2 });
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
    const scoring = lab.send({ type: 'scoreTasks', id: 5, run: null, which: 'source', limit: 100_000 });
    await lab.until((report) => report.type === 'progress');
    await lab.send({ type: 'cancel', id: 5 });
    await scoring;
    expect(lab.of('scored')).toEqual([]);
    expect(lab.of('jobEnded')).toEqual([{ type: 'jobEnded', id: 5 }]);
    const told = lab.reports.length;
    await lab.send({
      type: 'generate',
      id: 6,
      run: null,
      prompt: 'a',
      maxTokens: 1,
      temperature: 0,
      seed: 1,
    });
    expect(lab.reports.slice(told).every(({ type }) => type === 'generated' || type === 'jobEnded')).toBe(
      true,
    );
  });

  it('need a model that is there, and a tokenizer', async () => {
    const lab = openLab(gpu, siteWithTasks());
    await lab.open();
    await lab.send({ type: 'scoreTasks', id: 1, run: 'none', which: 'pruned', limit: 2 });
    expect(lab.of('failed').at(-1)?.message).toMatch(/No run with the identifier/);
    expect(lab.of('jobEnded')).toEqual([{ type: 'jobEnded', id: 1 }]);
    await lab.send({ type: 'openFiles', files: modelFiles(undefined, null), baseUrl: '/' });
    await lab.send({ type: 'scoreTasks', id: 2, run: null, which: 'source', limit: 2 });
    expect(lab.of('failed').at(-1)?.message).toMatch(/no tokenizer.json/);
  });
});
