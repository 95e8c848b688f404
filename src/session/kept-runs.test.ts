import { describe, expect, it, vi } from 'vitest';
import { nodeGpu } from '../gpu/node';
import type { RunEvent } from '../run/events';
import { openMemoryStore } from '../storage/memory-store';
import type { RunStore } from '../storage/run-store';
import { openLab, siteFiles, smallExperiment } from './testing';

const gpu = await nodeGpu();
const withoutTimes = (events: readonly RunEvent[]) => events.map((event) => ({ ...event, elapsedMs: 0 }));
const checkpointed = (steps: number, retrain = 4) => ({
  ...smallExperiment(steps, retrain),
  checkpoint: { interval: 3 },
});

/** Every event that is kept of a run, as a lab in another tab sees it. */
async function shown(store: RunStore, run: string) {
  const lab = openLab(gpu, siteFiles(), store);
  await lab.send({ type: 'showRun', run });
  return lab.of('events').flatMap((report) => (report.run === run ? report.events : []));
}

describe('a run in the page', () => {
  it('is kept while it goes, and goes on in a fresh lab as if it had never stopped', async () => {
    const plan = { experiment: checkpointed(12), interventions: [] };
    const whole = openLab(gpu);
    await whole.open();
    const straight = await whole.run(plan.experiment);

    const store = openMemoryStore('for a test');
    const first = openLab(gpu, siteFiles(), store);
    await first.open();
    await first.send({ type: 'start', plan });
    await first.until((r) => r.type === 'events' && r.events.some((e) => e.type === 'step' && e.step >= 7));
    await first.send({ type: 'reset' });
    const run = first.lastRun();
    expect((await store.list()).runs).toMatchObject([
      { id: run, status: 'stopped', name: 'tiny to 1·10·2·13', totalSteps: 16, source: { name: 'tiny' } },
    ]);

    const second = openLab(gpu, siteFiles(), store);
    await second.open();
    await second.send({ type: 'continue', run, changes: {} });
    await second.until((r) => r.type === 'status' && r.status === 'finished');
    expect(withoutTimes(await shown(store, run)).map(rounded)).toEqual(withoutTimes(straight).map(rounded));
    expect((await store.list()).runs).toMatchObject([{ id: run, status: 'finished', step: 16 }]);
    expect(second.of('failed')).toEqual([]);

    // Its models write and are exported in a third, which never saw it.
    const third = openLab(gpu, siteFiles(), store);
    await third.open();
    await third.send({
      type: 'generate',
      id: 1,
      run,
      prompt: 'green',
      maxTokens: 3,
      temperature: 0,
      seed: 1,
    });
    expect(new Set(third.of('generated').map(({ which }) => which))).toEqual(new Set(['source', 'pruned']));
    await third.send({ type: 'exportRun', id: 2, run });
    const archive = third.of('exported')[0]!;
    expect(archive.fileName).toMatch(/^tiny-to-1-10-2-13\.shear-run\.zip$/);
    const other = openMemoryStore('elsewhere');
    const fourth = openLab(gpu, siteFiles(), other);
    await fourth.send({ type: 'importRun', id: 3, bytes: archive.bytes });
    const [taken] = (await other.list()).runs;
    expect(withoutTimes(await shown(other, taken!.id))).toEqual(withoutTimes(await shown(store, run)));
  });

  it('takes a change from its next step on, says what cannot be changed, and is trained on after its end', async () => {
    const lab = openLab(gpu);
    await lab.open();
    await lab.send({ type: 'start', plan: { experiment: checkpointed(8), interventions: [] } });
    await lab.send({ type: 'change', changes: { 'target.hiddenSize': 12 } });
    await lab.send({ type: 'change', changes: { contextLength: 4 } });
    await lab.until((r) => r.type === 'status' && r.status === 'finished');
    const events = () => lab.of('events').flatMap((report) => report.events);
    expect(events().find((e) => e.type === 'intervention')).toMatchObject({
      changes: { 'target.hiddenSize': 12 },
      before: { 'target.hiddenSize': 10 },
    });
    expect(events().at(-1)).toMatchObject({ type: 'finished', summary: { achieved: { hiddenSize: 12 } } });
    expect(lab.of('failed').map(({ message }) => message)).toEqual([
      expect.stringMatching(/Context \(contextLength\) cannot be changed while a run goes on/),
    ]);

    const run = lab.lastRun();
    const from = lab.reports.length;
    await lab.send({ type: 'continue', run, changes: { 'retrain.steps': 7 } });
    await lab.until((r) => r.type === 'status' && r.status === 'finished', from);
    const later = lab.reports.slice(from).flatMap((r) => (r.type === 'events' ? r.events : []));
    // What the page may have seen before is told again from the start, so that nothing of it is cut or double.
    expect(later[0]?.type).toBe('started');
    expect(later.filter((e) => e.type === 'step').map((e) => e.step)).toEqual(
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
  });

  it('is listed as what it is: paused while it waits, running when it goes on', async () => {
    const store = openMemoryStore('for a test');
    const status = async () => (await store.list()).runs[0]?.status;
    const lab = openLab(gpu, siteFiles(), store);
    await lab.open();
    await lab.send({ type: 'start', plan: { experiment: checkpointed(200), interventions: [] } });
    await lab.until((r) => r.type === 'events' && r.events.some((e) => e.type === 'step'));
    await lab.send({ type: 'pause' });
    await lab.until((r) => r.type === 'status' && r.status === 'paused');
    await vi.waitFor(async () => expect(await status()).toBe('paused'));
    await lab.send({ type: 'resume' });
    await vi.waitFor(async () => expect(await status()).toBe('running'));
    await lab.send({ type: 'reset' });
    expect(await status()).toBe('stopped');
  });

  it('of another source is not gone on with, and one that was never kept says so', async () => {
    const store = openMemoryStore('for a test');
    const lab = openLab(gpu, siteFiles(), store);
    await lab.open();
    await lab.run(checkpointed(4));
    const run = lab.lastRun();
    const folder = await store.open(run);
    await lab.send({ type: 'continue', run, changes: {} });
    expect(lab.of('failed').at(-1)?.message).toMatch(/open/i);
    await folder.close();
    const site = siteFiles();
    const weights = new Uint8Array(site.get('models/tiny/model.safetensors')!);
    weights[weights.length - 1]! ^= 1;
    const other = openLab(gpu, site, store);
    await other.open();
    await other.send({ type: 'continue', run, changes: {} });
    expect(other.of('failed').at(-1)?.message).toMatch(/pruned tiny, and another model of that name is open/);
  });

  it('goes on without being kept when there is no more room, and says so once', async () => {
    const lab = openLab(gpu, siteFiles(), openMemoryStore('a small one', 40_000));
    await lab.open();
    const events = await lab.run(checkpointed(9));
    expect(events.at(-1)?.type).toBe('finished');
    expect(lab.of('notice').map(({ message }) => message)).toEqual([
      expect.stringMatching(/is full.*The run goes on, but is not kept any further\.$/),
    ]);
    expect(lab.of('failed')).toEqual([]);
  });
});

/** Measured numbers are kept with six digits. */
function rounded(event: object): unknown {
  return JSON.parse(
    JSON.stringify(event, (_, value: unknown) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value,
    ),
  );
}
