import { describe, expect, it } from 'vitest';
import { allFinite, finite, NotFiniteError, publishedJson, tellingWhere } from './finite';

describe('a number that is not finite', () => {
  it('is refused with what it is', () => {
    expect(finite(-0, 'The loss')).toBe(-0);
    expect(() => finite(NaN, 'The loss')).toThrow('The loss is NaN, not a finite number.');
    expect(() => finite(-Infinity, 'The loss', 'Lower the rate.')).toThrow(
      'The loss is -Infinity, not a finite number. Lower the rate.',
    );
  });

  it('is found wherever it stands in a list', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i % 2 ? 3.4e38 : -3.4e38));
    expect(allFinite(values, 'A weight')).toBe(values);
    for (const broken of [NaN, Infinity, -Infinity]) {
      for (const place of [0, 500, 999]) {
        const list = values.with(place, broken);
        expect(() => allFinite(list, 'The weight')).toThrow(`The weight at place ${place + 1} is ${broken}`);
      }
    }
  });

  it('says where it was met, and leaves other failures as they are', async () => {
    const inside = () => Promise.reject(new NotFiniteError('The loss is NaN, not a finite number.'));
    await expect(tellingWhere('After step 3', inside)).rejects.toThrow(
      'After step 3: the loss is NaN, not a finite number.',
    );
    await expect(tellingWhere('there', () => Promise.reject(new Error('Other.')))).rejects.toThrow(
      /^Other\.$/,
    );
  });

  it('never becomes null in what is published', () => {
    expect(publishedJson({ a: [1, null], b: 'x' }, 'summary.json')).toBe('{"a":[1,null],"b":"x"}');
    expect(() => publishedJson({ loss: { code: NaN } }, 'summary.json')).toThrow('summary.json: code is NaN');
    expect(() => publishedJson(Infinity, 'The answer')).toThrow('The answer: the value is Infinity');
  });
});
