import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../formats/llama-config';
import { defaultTarget } from '../pruning/target-shape';
import { valueAt } from '../fields/table';
import { defaultExperiment, EXPERIMENT_FIELDS, keptExperimentSchema, parseExperiment } from './schema';

describe('the table of fields', () => {
  it('covers every value of an experiment, each once', () => {
    const paths = (node: object, prefix = ''): string[] =>
      Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? paths(value, `${prefix}${key}.`)
          : [`${prefix}${key}`],
      );
    const keys = EXPERIMENT_FIELDS.map((field) => field.key);
    expect([...keys, 'version'].sort()).toEqual(paths(defaultExperiment()).sort());
  });

  it('has the target that is usual for the default source', () => {
    const { source, target } = defaultExperiment();
    const config: unknown = JSON.parse(readFileSync(`public/models/${source}/config.json`, 'utf8'));
    expect(target).toEqual(defaultTarget(parseLlamaConfig(config)));
  });

  it('has defaults that obey their own limits', () => {
    for (const field of EXPERIMENT_FIELDS) {
      expect(valueAt(defaultExperiment(), field.key)).toEqual(field.default);
      if (field.kind === 'choice') expect(field.options.map(({ value }) => value)).toContain(field.default);
    }
    expect(parseExperiment(defaultExperiment())).toEqual(defaultExperiment());
  });

  it('names every control', () => {
    for (const { label, help } of EXPERIMENT_FIELDS) {
      expect(label).not.toBe('');
      expect(help).toMatch(/\.$/);
    }
    const targets = EXPERIMENT_FIELDS.filter(({ key }) => key.startsWith('target.')).map(
      ({ label }) => label,
    );
    expect(targets).toEqual(['Layers', 'Hidden size', 'Attention heads', 'MLP width']);
  });
});

describe('parseExperiment', () => {
  it('fills what is missing with defaults', () => {
    expect(parseExperiment({ target: { hiddenSize: 32 }, seed: 3 })).toEqual({
      ...defaultExperiment(),
      target: { ...defaultExperiment().target, hiddenSize: 32 },
      seed: 3,
    });
  });

  it('does not hand out its own lists', () => {
    defaultExperiment().mixture.weights.push(1);
    expect(defaultExperiment().mixture.weights).toEqual([]);
  });

  it.each<[unknown, string]>([
    [null, 'experiment: it must be an object, but it is null'],
    [{ prune: 5 }, 'experiment: prune must be an object, but it is 5'],
    [{ prun: {} }, 'experiment: it must not have the field "prun"'],
    [{ prune: { stpes: 5 } }, 'experiment: prune must not have the field "stpes"'],
    [{ version: 2 }, 'experiment: version must be 1'],
    [
      { target: { numHiddenLayers: 1e308 } },
      'experiment: Layers (target.numHiddenLayers) must be a whole number from 1 to 256',
    ],
    [{ clipNorm: '1' }, 'experiment: Gradient clip (clipNorm) must be a number from 0.001 to 1000'],
    [{ gates: { head: 1 } }, 'experiment: Head gates (gates.head) must be true or false'],
    [{ source: '../x' }, 'experiment: Source model (source) must be a short lower-case name'],
    [
      { mixture: { weights: [0, 0] } },
      'experiment: Domain weights (mixture.weights) must be a list of up to 16 weights from 0 to 1000, not all zero',
    ],
    [JSON.parse('{"__proto__": {"seed": 1}}'), 'experiment: it must not have the field "__proto__"'],
  ])('refuses %j', (json, message) => {
    expect(() => parseExperiment(json)).toThrow(message);
  });
});

describe('the experiment of a kept run', () => {
  it('has of a field that is younger than the run what the lab did before, not today’s default', () => {
    const { basis, distillation, ...older } = defaultExperiment();
    expect([basis, distillation.weight]).toEqual(['sensitive', 1]);
    const prune = Object.fromEntries(Object.entries(older.prune).filter(([name]) => name !== 'warmStart'));
    const kept = keptExperimentSchema.parse({ ...older, prune });
    expect(kept).toMatchObject({ basis: 'own', distillation: { weight: 0 }, prune: { warmStart: false } });
    // What the run says itself stays, defaults too.
    expect(kept.prune.reachable).toBe(true);
    expect(keptExperimentSchema.parse(defaultExperiment())).toEqual(defaultExperiment());
  });

  it('is refused where it is none', () => {
    for (const wrong of [null, 'x', [], { prune: 3 }, { distillation: [] }]) {
      expect(keptExperimentSchema.safeParse(wrong).success).toBe(false);
    }
  });
});
