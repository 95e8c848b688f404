import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePermalink, encodePermalink } from './permalink';
import { parsePlan, planDocument, settingsAt, type Intervention, type Plan } from './interventions';
import { scheduledTarget } from './target-schedule';
import { defaultExperiment } from './schema';

const experiment = defaultExperiment();
const plan = (...interventions: Intervention[]): Plan => ({ experiment, interventions });

describe('interventions', () => {
  it('hold from their step on, later ones over earlier ones', () => {
    const changes = plan(
      { at: 10, changes: { 'target.hiddenSize': 40, clipNorm: 2 } },
      { at: 20, changes: { 'target.hiddenSize': 32 } },
    );
    expect([9, 10, 19, 20].map((step) => settingsAt(changes, step).target.hiddenSize)).toEqual([
      48, 40, 40, 32,
    ]);
    expect(settingsAt(changes, 30)).toEqual({
      ...experiment,
      clipNorm: 2,
      target: { ...experiment.target, hiddenSize: 32 },
    });
    expect(experiment.clipNorm).toBe(1);
  });

  it('are refused in one sentence where a field is fixed, unknown or out of range', () => {
    const refusal = (changes: object) => () => parsePlan({ interventions: [{ at: 1, changes }] });
    expect(refusal({ contextLength: 64 })).toThrow(/Context \(contextLength\) cannot be changed while a run/);
    expect(refusal({ nonsense: 1 })).toThrow(/docs\/experiment\.md/);
    expect(refusal({ 'target.hiddenSize': 0 })).toThrow(/Hidden size \(target\.hiddenSize\) must be/);
    expect(refusal({ pins: ['a2.1'] })).toThrow(/Pins/);
    expect(refusal({ pins: ['a2.1!', 'a2.1-'] })).toThrow(/Pins/);
  });

  const change = fc.oneof(
    fc.record({ 'target.hiddenSize': fc.integer({ min: 1, max: 64 }) }),
    fc.record({
      'mixture.weights': fc.array(fc.double({ min: 0.1, max: 9, noNaN: true }), {
        minLength: 1,
        maxLength: 7,
      }),
    }),
    fc.record({
      'mixture.mode': fc.constantFrom('dynamic', 'constant', 'manual'),
      clipNorm: fc.double({ min: 0.5, max: 2, noNaN: true }),
    }),
    fc.record({ pins: fc.constantFrom(['a2.1-', 'm0.17!'], [], ['l3-', 'd5!']) }),
  ) as fc.Arbitrary<Intervention['changes']>;

  it('come back from a link and from a file just as they were, also when they are many', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(5000), { maxLength: 40 }),
        fc.infiniteStream(change),
        (steps, stream) => {
          const interventions = steps
            .sort((a, b) => a - b)
            .map((at) => ({ at, changes: stream.next().value as Intervention['changes'] }));
          const given = { experiment, interventions };
          const link = encodePermalink(given);
          expect(decodePermalink(link)).toEqual({ ...given, problems: [] });
          expect(parsePlan(JSON.parse(JSON.stringify(planDocument(given))))).toEqual(given);
        },
      ),
    );
  });

  it('keep a link short: sixty moves of a slider in under 2,000 characters', () => {
    const interventions = Array.from({ length: 60 }, (_, i) => ({
      at: 100 + 3 * i,
      changes: { 'target.intermediateSize': 128 - i, 'target.hiddenSize': 48 - (i % 7) },
    }));
    expect(encodePermalink({ experiment, interventions }).length).toBeLessThan(2000);
    expect(encodePermalink(plan({ at: 120, changes: { 'target.hiddenSize': 40 } }))).toBe(
      'v=2&at=120:target.hiddenSize=40',
    );
  });

  it('that are damaged are left out with a sentence, whatever stands there', () => {
    const read = (text: string) => decodePermalink(`at=${text}`);
    expect(read('z.!!!').problems[0]).toMatch(/damaged/);
    expect(read('x:clipNorm=1').problems[0]).toMatch(/step:setting=value/);
    expect(read('3:contextLength=64').problems[0]).toMatch(/cannot be changed/);
    expect(read('3:nope=64~clipNorm=2')).toMatchObject({
      interventions: [{ at: 3, changes: { clipNorm: 2 } }],
    });
    fc.assert(fc.property(fc.string(), (text) => void read(encodeURIComponent(text))));
  });
});

describe('the target on its way', () => {
  const sparsities = ({ target }: typeof experiment) => ({
    hidden: 1 - target.hiddenSize / 64,
    layer: 1 - target.numHiddenLayers / 6,
  });
  const prune = { ...experiment.prune, steps: 300, sparsityWarmup: 0.5 };
  const at = ({ interventions }: Plan, step: number) =>
    scheduledTarget({ experiment: { ...experiment, prune }, interventions }, step, sparsities);
  const { steps, sparsityWarmup } = prune;
  const warmup = steps * sparsityWarmup;

  it('rises evenly over the warm-up when nothing is changed', () => {
    for (const step of [0, 1, 74, warmup, 299]) {
      expect(at(plan(), step).hidden).toBe(0.25 * Math.min(1, step / warmup));
    }
  });

  it('goes on without a jump from where it stands, no sooner than the warm-up’s end', () => {
    const dragged = plan({ at: 60, changes: { 'target.hiddenSize': 32 } });
    expect(at(dragged, 60)).toEqual(at(plan(), 60));
    // Four fifths of the new height are to go: as many of the warm-up's 150 steps.
    expect(at(dragged, 120).hidden).toBeCloseTo((0.1 + 0.5) / 2, 12);
    expect(at(dragged, 180)).toEqual({ hidden: 0.5, layer: 1 - 4 / 6 });
  });

  it('after the warm-up takes as long as the share of the height that it goes', () => {
    const dragged = plan({ at: 200, changes: { 'target.hiddenSize': 32 } });
    expect(at(dragged, 200).hidden).toBe(0.25);
    expect(at(dragged, 200 + warmup * 0.25).hidden).toBeCloseTo(0.375, 12);
    expect(at(dragged, 200 + warmup * 0.5).hidden).toBe(0.5);
  });

  it('always arrives before the cut, and never leaves the way between its ends', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(steps - 1), fc.integer({ min: 1, max: 64 })), {
          maxLength: 6,
          selector: ([s]) => s,
        }),
        (drags) => {
          const dragged = plan(
            ...drags
              .sort((a, b) => a[0] - b[0])
              .map(([s, size]) => ({ at: s, changes: { 'target.hiddenSize': size } })),
          );
          const goals = [0, 0.25, ...drags.map(([, size]) => 1 - size / 64)];
          for (let step = 0; step < steps; step++) {
            const value = at(dragged, step).hidden;
            expect(value).toBeGreaterThanOrEqual(Math.min(...goals));
            expect(value).toBeLessThanOrEqual(Math.max(...goals));
          }
          expect(at(dragged, steps).hidden).toBe(goals.at(-1));
        },
      ),
    );
  });
});
