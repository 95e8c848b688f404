import { expect, it } from 'vitest';
import { nodeGpu } from '../gpu/node';
import { openGpu } from '../gpu/device';
import { openLab, smallExperiment } from './testing';
import { dyingFolder } from '../storage/testing';
import { uniform } from '../data/random';
import { createRunControl } from '../run/run-control';
import { eventLine } from '../run/run-log';
import { runExperiment } from '../run/run';
import { goOn, KEPT_EXPERIMENT, outcome, run, store, type Place } from '../run/kept-run.testing';
import { toyCorpus, toySource } from '../run/testing';

/**
 * What takes too long for every test run: `npm run soak`, figures in docs/reliability.md. SOAK scales the counts:
 * 1 is a thousand kills.
 */
const SCALE = Number(process.env['SOAK'] ?? 1);
const times = (count: number) => Math.max(1, Math.round(count * SCALE));
const HOUR = 3_600_000;
const plan = { experiment: KEPT_EXPERIMENT, interventions: [] };
const say = (text: string) => process.stderr.write(`soak: ${text}\n`);

it(
  'a run killed at random moments of its writing ends as one that never stopped',
  { timeout: HOUR },
  async () => {
    const straight = await outcome((await run(plan)).id);
    const kills = times(1000);
    let killed = 0;
    let runs = 0;
    while (killed < kills) {
      let id: string | null = null;
      for (let life = 0; ; life++) {
        const draw = uniform(7, 1, killed);
        const when = (['before', 'half', 'after'] as const)[killed % 3]!;
        // The sixth life is left alone, so that every run ends.
        const wrap: Place['wrap'] = (folder) =>
          life < 5 ? dyingFolder(folder, Math.floor(draw * 60), when) : folder;
        const before: string | null = id;
        id = before === null ? (await run(plan, undefined, { wrap })).id : await goOnOrStart(before, wrap);
        const { log, models } = await outcome(id);
        const finished = log.some((event) => 'type' in event && event.type === 'finished');
        if (life === 5 || (finished && models.retrained)) break;
        killed++;
      }
      expect(await outcome(id)).toEqual(straight);
      await store.remove(id);
      runs++;
    }
    say(
      `${killed} kills in ${runs} runs of ${straight.log.length} events: every one ended with the same log and weights`,
    );
  },
);

async function goOnOrStart(id: string, wrap: Place['wrap']): Promise<string> {
  const found = await goOn(id, undefined, {}, { wrap });
  if (found) return id;
  // Killed before its first checkpoint: there is nothing to go on from.
  await store.remove(id);
  return (await run(plan, undefined, { wrap })).id;
}

it(
  'a run whose device is lost goes on from its last checkpoint on a new one',
  { timeout: HOUR },
  async () => {
    const straight = await outcome((await run(plan)).id);
    const losses = times(100);
    const api = await nodeGpu();
    for (let i = 0; i < losses; i++) {
      const at = 1 + Math.floor(uniform(7, 2, i) * 59);
      const gpu = await openGpu(api);
      const lost = await run(
        plan,
        (event, control) => {
          if (event.type !== 'step' || event.step !== at) return;
          gpu.device.destroy();
          control.cancel();
        },
        { gpu },
      );
      await goOn(lost.id);
      expect(await outcome(lost.id)).toEqual(straight);
      await store.remove(lost.id);
    }
    say(`${losses} lost devices: every run ended with the same log and weights`);
  },
);

it('resets leave nothing behind', { timeout: HOUR }, async () => {
  const lab = openLab(await nodeGpu());
  await lab.open();
  const resets = times(200);
  const held = new Set<number>();
  for (let i = 0; i < resets; i++) {
    const from = lab.reports.length;
    await lab.send({ type: 'start', plan: { experiment: smallExperiment(200), interventions: [] } });
    await lab.until((report) => report.type === 'events', from);
    await lab.send({ type: 'reset' });
    held.add(lab.of('memory').at(-1)?.heldBytes ?? 0);
  }
  const from = lab.reports.length;
  await lab.run(smallExperiment(4));
  expect(lab.reports.slice(from).filter((report) => report.type === 'failed')).toEqual([]);
  say(`${resets} resets: the run after them finished; GPU bytes in runs: ${[...held].join(', ')}`);
});

it('10,000 steps hold no more memory than their first thousand', { timeout: HOUR }, async () => {
  const gpu = await openGpu(await nodeGpu());
  const steps = times(10_000);
  const experiment = {
    ...KEPT_EXPERIMENT,
    prune: { ...KEPT_EXPERIMENT.prune, steps: Math.ceil(steps / 2) },
    retrain: { ...KEPT_EXPERIMENT.retrain, steps: Math.floor(steps / 2) },
    evaluation: { interval: 50, windows: 1 },
  };
  const heap: number[] = [];
  const bytes = new Set<number>();
  let logBytes = 0;
  await runExperiment(
    { experiment, interventions: [] },
    {
      gpu,
      source: toySource(),
      corpus: toyCorpus(),
      control: createRunControl(),
      version: 'soak',
      activity: () => undefined,
      emit(event) {
        logBytes += eventLine(event, 0).length + 1;
        if (event.type !== 'step' || event.step % Math.ceil(steps / 10) !== 0) return;
        globalThis.gc?.();
        heap.push(process.memoryUsage().heapUsed / 2 ** 20);
        bytes.add(gpu.heldBytes());
      },
    },
  );
  say(
    `${steps} steps: heap ${heap.map((mib) => mib.toFixed(0)).join(', ')} MiB, GPU bytes ${[...bytes].join(' and ')} (pruning, retraining), log ${(logBytes / steps).toFixed(0)} bytes a step`,
  );
  // One set of buffers a stage, and nothing that grows with the steps.
  expect(bytes.size).toBeLessThanOrEqual(2);
  if (heap.length > 3) expect(heap.at(-1)! - heap[1]!).toBeLessThan(20);
});
