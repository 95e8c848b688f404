import { beforeAll, describe, expect, it } from 'vitest';
import type { Intervention, Plan } from '../experiment/interventions';
import { decodePermalink, encodePermalink } from '../experiment/permalink';
import type { RunEvent } from './events';
import { dyingFolder } from '../storage/testing';
import {
  cancelAt,
  goOn,
  KEPT_EXPERIMENT,
  outcome,
  run,
  store,
  type Hand,
  type Place,
} from './kept-run.testing';
import { finalModel } from './run';

const experiment = KEPT_EXPERIMENT;

describe('a run that is taken up again', () => {
  const plan: Plan = { experiment, interventions: [] };
  let straight: Awaited<ReturnType<typeof outcome>>;
  beforeAll(async () => {
    straight = await outcome((await run(plan)).id);
  });

  it('straight, has a log of every step and both models', () => {
    expect(straight.log.filter((event) => (event as RunEvent).type === 'step')).toHaveLength(60);
    expect(straight.models.retrained).not.toBeNull();
  });

  it.each([3, 11, 20, 29, 30, 31, 44, 60])(
    'killed at step %i gives the same metrics and weights',
    async (step) => {
      const { id } = await run(plan, cancelAt(step));
      await goOn(id);
      expect(await outcome(id)).toEqual(straight);
    },
  );

  it('killed again and again, at random steps, gives the same', async () => {
    const { id } = await run(plan, cancelAt(8));
    for (const step of [19, 26, 33, 52]) await goOn(id, cancelAt(step));
    await goOn(id);
    expect(await outcome(id)).toEqual(straight);
  });

  it('killed in the middle of a write, dozens of times, gives the same', async () => {
    for (let kill = 0; kill < 36; kill++) {
      const when = (['before', 'half', 'after'] as const)[kill % 3]!;
      const wrap: Place['wrap'] = (folder) => dyingFolder(folder, kill, when);
      const { id } = await run(plan, undefined, { wrap });
      // Before its first checkpoint there is nothing to go on from.
      if (!(await goOn(id, undefined, {}, { wrap: (folder) => dyingFolder(folder, 40 - kill, when) })))
        continue;
      await goOn(id);
      expect(await outcome(id)).toEqual(straight);
      await store.remove(id);
    }
  });

  it('that was finished ends at once, and the same', async () => {
    const { id } = await run(plan);
    await goOn(id);
    expect(await outcome(id)).toEqual(straight);
  });

  it('paused and stepped on the way gives the same', async () => {
    const { id } = await run(plan, (event, control) => {
      if (event.type === 'step' && event.step % 13 === 0) control.pause();
    });
    expect(await outcome(id)).toEqual(straight);
  });
});

describe('a run that is changed while it goes', () => {
  const drags: Record<number, Intervention['changes']> = {
    5: { 'target.hiddenSize': 12 },
    12: { 'target.intermediateSize': 9, 'prune.gateLearningRate': 0.3, 'evaluation.interval': 5 },
    21: { 'mixture.weights': [3, 1, 1], 'prune.steps': 36 },
    40: { 'mixture.mode': 'constant', 'retrain.learningRate': 1e-3 },
  };
  const dragging: Hand = (event, control) => {
    const changes = event.type === 'step' ? drags[event.step] : undefined;
    if (changes) control.change(changes);
  };

  it('gives one and the same log when it is killed twice, and when its link is replayed', async () => {
    const dragged = await run({ experiment, interventions: [] }, dragging);
    const expected = await outcome(dragged.id);
    const events = expected.log as RunEvent[];
    const made = events.filter((event) => event.type === 'intervention');
    expect(made.map(({ changes }) => Object.keys(changes))).toEqual(
      [
        ['target.hiddenSize'],
        ['target.intermediateSize', 'prune.gateLearningRate', 'evaluation.interval'],
        ['mixture.weights', 'prune.steps'],
        ['mixture.mode', 'retrain.learningRate', 'mixture.weights'].sort(),
      ].map((keys, i) => (i < 3 ? keys : (expect.arrayContaining(keys) as string[]))),
    );
    expect(events.find((event) => event.type === 'surgery')).toMatchObject({
      step: 36,
      config: { hiddenSize: 12 },
    });

    const interventions = made.map(({ step, changes }) => ({ at: step, changes }));
    const link = encodePermalink({ experiment, interventions });
    const { problems, ...linked } = decodePermalink(link);
    expect(problems).toEqual([]);
    const replayed = await run(linked);
    expect(await outcome(replayed.id)).toEqual(expected);

    const killed = await run(linked, cancelAt(16));
    await goOn(killed.id, cancelAt(41));
    await goOn(killed.id);
    expect(await outcome(killed.id)).toEqual(expected);
  });

  it('refuses what cannot change any more, in one sentence, and goes on', async () => {
    const { refused } = await run({ experiment, interventions: [] }, (event, control) => {
      if (event.type !== 'step') return;
      if (event.step === 3) control.change({ contextLength: 4 });
      if (event.step === 4) control.change({ 'target.hiddenSize': 17 });
      if (event.step === 40) control.change({ 'target.hiddenSize': 9 });
    });
    expect(refused).toEqual([
      expect.stringMatching(/Context \(contextLength\) cannot be changed while a run goes on/),
      expect.stringMatching(/idden/),
      expect.stringMatching(/Hidden size \(target\.hiddenSize\) cannot be changed after the cut at step 30/),
    ]);
  });

  it('can be trained on after its end, as its link replays it', async () => {
    const { id } = await run({ experiment, interventions: [] });
    await goOn(id, undefined, { 'retrain.steps': 42 });
    const longer = await outcome(id);
    expect(longer.log.filter((event) => (event as RunEvent).type === 'step')).toHaveLength(72);
    const replayed = await run({ experiment, interventions: [{ at: 60, changes: { 'retrain.steps': 42 } }] });
    expect(await outcome(replayed.id)).toEqual(longer);
  });

  it('closes and keeps the units that are pinned by hand, and lets them go again', async () => {
    const pinned = { ...experiment, pins: ['d3-', 'd0!', 'a1.0-', 'm2.7!', 'l1-'] };
    const hand: Hand = (event, control) => {
      if (event.type !== 'step') return;
      if (event.step === 9) control.change({ pins: ['d3-', 'd0!', 'd5-', 'm2.7!', 'l1-'] });
      if (event.step === 15)
        control.change({ pins: ['d3-', 'd0!', 'd5-', 'm2.7!', 'm2.8!', 'l1-', 'a0.1!', 'a0.0-'] });
    };
    const { id, refused } = await run({ experiment: pinned, interventions: [] }, hand);
    expect(refused).toEqual([]);
    const expected = await outcome(id);
    const events = expected.log as RunEvent[];
    const surgery = events.find((event) => event.type === 'surgery')!;
    expect(surgery.kept.hidden).toContain(0);
    expect(surgery.kept.hidden).not.toContain(3);
    expect(surgery.kept.hidden).not.toContain(5);
    expect(surgery.kept.layers).toEqual([0, 2]);
    expect(surgery.kept.heads[0]).toEqual([1]);
    expect(surgery.kept.intermediate[2]).toEqual(expect.arrayContaining([7, 8]));
    expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
    const frames = events.filter((event) => event.type === 'gates');
    expect(frames.map(({ values }) => [values[0], values[3]])).toEqual(frames.map(() => [255, 0]));

    const interventions = events.flatMap((event) =>
      event.type === 'intervention' ? [{ at: event.step, changes: event.changes }] : [],
    );
    const killed = await run({ experiment: pinned, interventions }, cancelAt(12));
    await goOn(killed.id);
    expect(await outcome(killed.id)).toEqual(expected);
  });

  it('refuses pins that leave the target no choice', async () => {
    const problem = async (pins: string[]) =>
      run({ experiment: { ...experiment, pins }, interventions: [] }).then(
        () => null,
        (error: Error) => error.message,
      );
    expect(await problem(['d16-'])).toMatch(/Pins \(pins\): the model has no unit d16/);
    expect(await problem(['l0-', 'l1-'])).toMatch(
      /2 layers are closed by hand, more than the 1 that the target leaves out/,
    );
    expect(await problem(['a2.0!', 'a2.1!'])).toMatch(
      /2 attention heads are kept by hand in layer 3, more than the 1/,
    );
  });

  it('keeps masked and pruned the same function', async () => {
    const { id } = await run({ experiment, interventions: [] }, dragging);
    const { log, models } = await outcome(id);
    const surgery = (log as RunEvent[]).find((event) => event.type === 'surgery')!;
    expect(surgery.maskedVersusPruned).toBeLessThan(1e-4);
    expect(finalModel({ pruned: models.pruned!, retrained: models.retrained }).config.hiddenSize).toBe(12);
  });
});
