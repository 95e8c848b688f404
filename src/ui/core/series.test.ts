import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSeries, firstAtLeast } from './series';

const filled = (values: readonly number[]) => {
  const series = createSeries();
  values.forEach((value) => series.push(value));
  return series;
};

describe('series', () => {
  it('has the extremes of every stretch, gaps left out', () => {
    const value = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(NaN));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 700 }), fc.nat(), fc.nat(), (values, a, b) => {
        const [from, to] = [a % values.length, b % values.length].sort((x, y) => x - y) as [number, number];
        const there = values.slice(from, to + 1).filter((x) => !Number.isNaN(x));
        const found = filled(values).extremes(from, to);
        expect(found === null).toBe(there.length === 0);
        if (!found) return;
        expect(values[found.least]).toBe(Math.min(...there));
        expect(values[found.greatest]).toBe(Math.max(...there));
        expect(found.least >= from && found.greatest <= to).toBe(true);
      }),
    );
  });

  it('visits a few dozen blocks of a hundred thousand numbers', () => {
    let visited = 0;
    const series = createSeries(() => visited++);
    for (let i = 0; i < 100_000; i++) series.push(Math.sin(i));
    series.extremes(3, 99_996);
    expect(visited).toBeLessThan(2 * 8 * 6);
    visited = 0;
    for (let bucket = 0; bucket < 150; bucket++) series.extremes(bucket * 666, bucket * 666 + 665);
    expect(visited).toBeLessThan(150 * 2 * 8 * 4);
  });

  it('finds a place in a rising series', () => {
    const series = filled([1, 3, 3, 8]);
    expect([0, 1, 2, 3, 8, 9].map((value) => firstAtLeast(series, value))).toEqual([0, 0, 1, 1, 3, 4]);
  });
});
