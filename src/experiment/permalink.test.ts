import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../fields/field';
import { withValueAt } from '../fields/table';
import type { Intervention } from './interventions';
import { decodePermalink, encodePermalink as encodePlan } from './permalink';
import {
  defaultExperiment,
  EXPERIMENT_FIELDS,
  experimentSchema,
  type Experiment,
  type Field,
} from './schema';

const encodePermalink = (experiment: Experiment, interventions: Intervention[] = []) =>
  encodePlan({ experiment, interventions });

function anyValue(field: Field): fc.Arbitrary<FieldValue> {
  switch (field.kind) {
    case 'integer':
      return fc.integer({ min: field.min, max: field.max });
    case 'number':
      return fc.double({ min: field.min, max: field.max, noNaN: true }).map((value) => value + 0);
    case 'boolean':
      return fc.boolean();
    case 'choice':
      return fc.constantFrom(...field.options.map(({ value }) => value));
    case 'pins':
      return fc.uniqueArray(fc.stringMatching(/^(?:[dl][0-9]{1,6}|[am][0-9]{1,4}\.[0-9]{1,6})[!-]$/), {
        maxLength: 20,
        selector: (pin) => pin.slice(0, -1),
      });
    case 'name':
      return fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/);
    case 'weights':
      return fc
        .array(
          fc.double({ min: 0, max: 1000, noNaN: true }).map((value) => value + 0),
          { maxLength: 16 },
        )
        .filter((weights) => weights.length === 0 || weights.some((weight) => weight > 0));
  }
}

/** Some fields changed, the others at their default. */
const anyExperiment: fc.Arbitrary<Experiment> = fc
  .tuple(...EXPERIMENT_FIELDS.map((field) => fc.option(anyValue(field), { nil: undefined })))
  .map((values) =>
    values.reduce<Experiment>(
      (experiment, value, i) =>
        value === undefined ? experiment : withValueAt(experiment, EXPERIMENT_FIELDS[i]!.key, value),
      defaultExperiment(),
    ),
  );

describe('permalink', () => {
  it('is empty for the defaults and holds only what differs', () => {
    expect(encodePermalink(defaultExperiment())).toBe('');
    const experiment = defaultExperiment();
    experiment.target.hiddenSize = 40;
    experiment.mixture.weights = [0.5, 1, 2];
    experiment.gates.layer = false;
    expect(encodePermalink(experiment)).toBe(
      'v=2&target.hiddenSize=40&gates.layer=false&mixture.weights=0.5,1,2',
    );
  });

  it('of version 1 means what it meant', () => {
    const { experiment, problems } = decodePermalink('?target.hiddenSize=40&v=1&prune.steps=60');
    const old = defaultExperiment(1);
    expect(problems).toEqual([]);
    expect(experiment).toEqual({
      ...old,
      target: { ...old.target, hiddenSize: 40 },
      prune: { ...old.prune, steps: 60 },
    });
    expect(decodePermalink(encodePermalink(experiment)).experiment).toEqual(experiment);
  });

  it('gives every experiment back', () => {
    fc.assert(
      fc.property(anyExperiment, (experiment) => {
        const link = encodePermalink(experiment);
        expect(decodePermalink(`?${link}`)).toEqual({ experiment, interventions: [], problems: [] });
        expect(encodePermalink(decodePermalink(link).experiment)).toBe(link);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, (experiment: Experiment) => unknown, unknown, string[]]>([
    [
      'target.numHiddenLayers=300',
      (e) => e.target.numHiddenLayers,
      256,
      ['Layers (target.numHiddenLayers) must be a whole number from 1 to 256, not “300”: 256 is used.'],
    ],
    [
      'target.numHiddenLayers=2.4',
      (e) => e.target.numHiddenLayers,
      2,
      ['Layers (target.numHiddenLayers) must be a whole number from 1 to 256, not “2.4”: 2 is used.'],
    ],
    [
      'clipNorm=1e308',
      (e) => e.clipNorm,
      1000,
      ['Gradient clip (clipNorm) must be a number from 0.001 to 1000, not “1e308”: 1000 is used.'],
    ],
    [
      'seed=NaN',
      (e) => e.seed,
      17,
      ['Seed (seed) must be a whole number from 0 to 4294967295, not “NaN”: 17 is used.'],
    ],
    [
      'gates.head=maybe',
      (e) => e.gates.head,
      true,
      ['Head gates (gates.head) must be true or false, not “maybe”: true is used.'],
    ],
    ['gates.head=0', (e) => e.gates.head, false, []],
    [
      'mixture.mode=clever',
      (e) => e.mixture.mode,
      'dynamic',
      ['Mixture (mixture.mode) must be one of dynamic, constant, manual, not “clever”: dynamic is used.'],
    ],
    [
      'source=../../secret',
      (e) => e.source,
      'nano',
      ['Source model (source) must be a short lower-case name, not “../../secret”: the default is used.'],
    ],
    [
      'mixture.weights=1,,2',
      (e) => e.mixture.weights,
      [],
      [
        'Domain weights (mixture.weights) must be a list of up to 16 weights from 0 to 1000, not all zero, not “1,,2”: the default is used.',
      ],
    ],
    ['wat=1', (e) => e, defaultExperiment(), ['The link has the unknown setting “wat”: it is left out.']],
    [
      '__proto__=1',
      (e) => e,
      defaultExperiment(),
      ['The link has the unknown setting “__proto__”: it is left out.'],
    ],
    ['seed=1&seed=2', (e) => e.seed, 1, ['The link gives seed more than once: the first is used.']],
    ['v=9&seed=4', (e) => e.seed, 4, ['The link has version v=9: it is read as version 2.']],
  ])('offers the nearest thing for %s', (search, read, expected, problems) => {
    const link = decodePermalink(search);
    expect(read(link.experiment)).toEqual(expected);
    expect(link.problems).toEqual(problems);
  });

  it('leaves the page’s own keys alone', () => {
    expect(decodePermalink('?embed=1&seed=3', ['embed'])).toMatchObject({
      experiment: { seed: 3 },
      problems: [],
    });
  });

  it('survives any text, in bounded time and with bounded words', () => {
    const key = fc.oneof(
      fc.constantFrom(...EXPERIMENT_FIELDS.map((f) => f.key), '__proto__', 'v', 'constructor'),
      fc.string(),
    );
    const value = fc.oneof(
      fc.string(),
      fc.string({ minLength: 300, maxLength: 3000 }),
      fc.double().map(String),
      fc.constantFrom('1e308', '-1e999', '0x10', '٣', '%', '%FF', '\0'),
    );
    const link = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.tuple(key, value), { maxLength: 30 }).map((pairs) => new URLSearchParams(pairs).toString()),
      fc
        .array(fc.tuple(key, value), { maxLength: 30 })
        .map((pairs) => pairs.map((pair) => pair.join('=')).join('&')),
    );
    fc.assert(
      fc.property(link, (search) => {
        const { experiment, problems } = decodePermalink(search);
        expect(experimentSchema.parse(experiment)).toEqual(experiment);
        expect(problems.length).toBeLessThanOrEqual(12);
        for (const problem of problems) {
          expect(problem.length).toBeLessThan(300);
          expect(problem).toMatch(/^[^\n]+\.$/);
        }
      }),
      { numRuns: 2000 },
    );
    expect(decodePermalink(`seed=${'9'.repeat(100_000)}`).problems).toHaveLength(1);
    expect(decodePermalink('a=1&'.repeat(4000)).problems).toHaveLength(12);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
