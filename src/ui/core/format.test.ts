import { describe, expect, it } from 'vitest';
import { defaultExperiment, EXPERIMENT_FIELDS } from '../../experiment/schema';
import {
  defaultOf,
  describeDifferences,
  fieldOf,
  getField,
  isDefault,
  readNumber,
  setField,
} from './field-value';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatPerplexity,
  ordinal,
} from './format';

it('writes places', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 111, 1002].map(ordinal)).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '111th',
    '1,002nd',
  ]);
});

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [3.14159, '3.14'],
    [-12.3456, '−12.3'],
    [200.04, '200'],
    [0.00001, '1.0e−5'],
    [12345.6, '12,346'],
    [Number.NaN, 'not a number'],
    [-Infinity, '−∞'],
  ])('%d is %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('shortens counts, bytes, times and shares', () => {
    expect([950, 999.7, 1250, 582464, 1.3e9].map(formatCount)).toEqual([
      '950',
      '1.00\u202fk',
      '1.25\u202fk',
      '582\u202fk',
      '1.30\u202fG',
    ]);
    expect([512, 2048, 3 * 2 ** 20].map(formatBytes)).toEqual([
      '512\u202fB',
      '2.00\u202fKiB',
      '3.00\u202fMiB',
    ]);
    expect([0.2, 40, 60, 200, 3900].map(formatDuration)).toEqual([
      '1 s',
      '40 s',
      '1 min',
      '3 min 20 s',
      '1 h 5 min',
    ]);
    expect([0.053, 0.526].map(formatPercent)).toEqual(['5.3\u202f%', '53\u202f%']);
    expect([Math.log(31.734), Math.log(152.51)].map(formatPerplexity)).toEqual(['31.73', '152.5']);
  });
});

describe('fields', () => {
  it('are read, changed and reset by the table', () => {
    const defaults = defaultExperiment();
    for (const field of EXPERIMENT_FIELDS) {
      expect(getField(defaults, field.key)).toEqual(defaultOf(field));
      expect(isDefault(defaults, field.key)).toBe(true);
    }
    const changed = setField(defaults, 'prune.steps', 40);
    expect(changed.prune.steps).toBe(40);
    expect(defaults.prune.steps).not.toBe(40);
    expect(isDefault(changed, 'prune.steps')).toBe(false);
  });

  it('refuse what is not theirs in one sentence', () => {
    const steps = fieldOf('prune.steps');
    if (steps.kind !== 'integer') throw new Error('prune.steps is a whole number.');
    expect(readNumber(steps, '12')).toBe(12);
    for (const text of ['', '1.5', '0', '1e9', 'many', 'Infinity']) {
      expect(readNumber(steps, text)).toBe('Steps takes a whole number from 1 to 100000.');
    }
    expect(() => fieldOf('__proto__')).toThrow('No field');
  });

  it('tell two experiments apart in words', () => {
    const defaults = defaultExperiment();
    expect(describeDifferences(defaults, defaults)).toEqual([]);
    expect(describeDifferences(defaults, setField(defaults, 'prune.temperature', 0.666667))).toEqual([]);
    const other = setField(setField(defaults, 'gates.layer', false), 'retrain.steps', 9);
    expect(describeDifferences(defaults, other)).toEqual(['Layer gates off', 'Retraining steps 9']);
  });
});
