import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Arm } from '../report/report';
import type { ReportRequest } from '../report/run-report';
import { nodeGpu } from '../gpu/node';
import type { Report } from './protocol';
import { openLab, siteFiles, smallExperiment } from './testing';

const gpu = await nodeGpu();

const asked = (changes: Partial<ReportRequest> = {}): ReportRequest => ({
  arms: ['source', 'pruned', 'retrained', 'scratch', 'family'],
  tasks: 'all',
  items: 2,
  windows: 3,
  ...changes,
});

/** The site of src/session/testing.ts with a list of models, in which the source has no relative, and a task. */
function site(): Map<string, ArrayBuffer> {
  const files = siteFiles();
  const write = (path: string, value: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    files.set(path, bytes.buffer);
    return createHash('sha256').update(bytes).digest('hex');
  };
  const size = { parameters: 1, bytes: 1 };
  write('models/index.json', [{ name: 'tiny', title: 'tiny', description: '', ...size }]);
  const items = [
    { id: '1', context: '1 plus 2 is', choices: [' 3', ' 30 green bottles'], answer: 0 },
    { id: '2', context: 'ten green', choices: [' plus', ' bottles'], answer: 1 },
    { id: '3', context: 'if one should', choices: [' fall', ' is'], answer: 0 },
  ];
  const sha256 = write('tasks/choices.json', { name: 'choices', items });
  const task = { name: 'choices', title: 'Choices', description: '', form: 'choice', domain: null };
  const facts = { metric: 'acc', chance: 0.5, items: 3, file: 'choices.json', sha256 };
  write('tasks/index.json', {
    version: 1,
    tokenizer_sha256: sha256,
    corpus_manifest_sha256: sha256,
    tasks: [{ ...task, ...facts }],
  });
  return files;
}

/** The last word of a comparison. */
const ended = (id: number) => (report: Report) =>
  (report.type === 'jobEnded' && report.id === id) || report.type === 'failed';

async function finishedLab(retrain = 2) {
  const lab = openLab(gpu, site());
  await lab.open();
  await lab.run(smallExperiment(4, retrain));
  return lab;
}

describe('a comparison', () => {
  it('measures every model that there is, and tells of each', async () => {
    const lab = await finishedLab();
    await lab.send({ type: 'compare', id: 1, run: lab.lastRun(), request: asked() });
    await lab.until(ended(1));
    const last = lab.of('compared').at(-1)!;
    const { arms, domains, overScratch } = last.report;
    const names: Arm[] = ['source', 'pruned', 'retrained', 'scratch'];
    expect(arms.map(({ arm }) => arm)).toEqual(names);
    expect(lab.of('compared').map(({ report }) => report.arms.length)).toEqual([1, 2, 3, 4, 4]);
    for (const { loss, tasks, speed } of arms) {
      expect(loss).toHaveLength(2);
      expect(tasks).toHaveLength(1);
      expect(speed.milliseconds).toBeGreaterThan(0);
    }
    // Four models, four losses: none is measured in the place of another.
    expect(new Set(arms.map(({ loss }) => loss[0])).size).toBe(4);
    expect(overScratch).toHaveLength(1);
    // Three windows of eight tokens a domain.
    expect(domains.map(({ predictions }) => predictions)).toEqual([21, 21]);
    const shares = lab.of('progress').map(({ share }) => share);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(shares.at(-1)).toBeLessThanOrEqual(1);
  });

  it('leaves out what was not asked for and what there is not', async () => {
    const lab = await finishedLab();
    const arms: Arm[] = ['retrained', 'family'];
    await lab.send({ type: 'compare', id: 1, run: lab.lastRun(), request: asked({ arms, tasks: [] }) });
    await lab.until(ended(1));
    const last = lab.of('compared').at(-1);
    expect(last).toMatchObject({
      type: 'compared',
      report: { arms: [{ arm: 'retrained' }], tasks: [], overScratch: null },
    });
  });

  it('can be cancelled while the control trains, and gives its buffers back', async () => {
    const lab = await finishedLab(40);
    const before = lab.of('memory').at(-1)!.heldBytes;
    void lab.send({
      type: 'compare',
      id: 1,
      run: lab.lastRun(),
      request: asked({ arms: ['source', 'scratch'], tasks: [] }),
    });
    await lab.until((r) => r.type === 'progress' && r.what.includes('training'));
    await lab.send({ type: 'cancel', id: 1 });
    await lab.until(ended(1));
    const last = lab.of('compared').at(-1);
    // What was measured before stays.
    expect(last).toMatchObject({ type: 'compared', report: { arms: [{ arm: 'source' }] } });
    expect(lab.of('failed')).toEqual([]);
    await lab.run(smallExperiment(4));
    expect(lab.of('memory').at(-1)!.heldBytes).toBe(before);
  });

  it('goes on beside another run', async () => {
    const lab = await finishedLab(40);
    void lab.send({ type: 'compare', id: 1, run: lab.lastRun(), request: asked({ arms: ['scratch'] }) });
    await lab.until((r) => r.type === 'progress' && r.what.includes('training'));
    const events = await lab.run(smallExperiment(4));
    expect(events.at(-1)?.type).toBe('finished');
    await lab.until(ended(1));
    expect(
      lab
        .of('compared')
        .at(-1)
        ?.report.arms.map(({ arm }) => arm),
    ).toEqual(['scratch']);
  });

  it('without a finished run says what to do', async () => {
    const lab = openLab(gpu, site());
    await lab.open();
    await lab.send({ type: 'compare', id: 1, run: lab.lastRun(), request: asked() });
    expect(lab.of('failed').at(-1)?.message).toBe('No run with the identifier "" is kept here.');
  });
});
