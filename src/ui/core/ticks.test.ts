import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extentOf, logarithmicScale, roundScale } from './ticks';

const texts = ({ ticks, format }: ReturnType<typeof roundScale>) => ticks.map(format);

describe('round ticks', () => {
  it.each([
    [4.57, 4.66, ['4.56', '4.58', '4.60', '4.62', '4.64', '4.66']],
    [2.1, 6.4, ['2', '3', '4', '5', '6', '7']],
    [0, 119_000, ['0', '50\u202fk', '100\u202fk', '150\u202fk']],
    [-0.34, 0.1, ['−0.4', '−0.3', '−0.2', '−0.1', '0', '0.1']],
    [200, 203.7, ['200', '201', '202', '203', '204']],
    [3, 3, ['2.8', '2.9', '3.0', '3.1', '3.2']],
  ])('from %d to %d', (low, high, expected) => {
    expect(texts(roundScale(low, high)).slice(0, expected.length)).toEqual(expected);
  });

  it('stay inside of ends that are fixed', () => {
    const scale = roundScale(13, 180, { fixed: true });
    expect([scale.domain, scale.ticks]).toEqual([
      [13, 180],
      [50, 100, 150],
    ]);
    expect(texts(roundScale(0, 0.6, { percent: true, count: 3 }))).toEqual([
      '0\u00a0%',
      '20\u00a0%',
      '40\u00a0%',
      '60\u00a0%',
    ]);
  });

  it('are even, cover the values, are few, and no two read the same', () => {
    const number = fc.double({ min: -1e7, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(number, fc.double({ min: 1e-4, max: 1e7, noNaN: true }), (low, span) => {
        const scale = roundScale(low, low + span);
        const { ticks, domain } = scale;
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThanOrEqual(7);
        const step = ticks[1]! - ticks[0]!;
        ticks.forEach((tick, i) => expect(Math.abs(tick - ticks[0]! - i * step)).toBeLessThan(step / 1e3));
        expect(domain[0]).toBeLessThanOrEqual(low + span * 1e-6);
        expect(domain[1]).toBeGreaterThanOrEqual(low + span - span * 1e-6);
        expect(new Set(texts(scale)).size).toBe(ticks.length);
      }),
    );
  });

  it('on a logarithmic axis are even over a short range and decades over a long one', () => {
    expect(texts(logarithmicScale(2.2, 7.8))).toEqual(['3', '4', '5', '6', '7', '8']);
    expect(texts(logarithmicScale(0.4, 60))).toEqual(['0.5', '1', '2', '5', '10', '20', '50']);
  });

  it('know the extent of what is there', () => {
    expect(extentOf([3, undefined, -1, NaN, 2])).toEqual([-1, 3]);
    expect(extentOf([undefined])).toBeNull();
    expect(texts(roundScale(NaN, 1)).length).toBeGreaterThan(1);
  });
});

it('writes millions as such, so that a mark stays short', () => {
  const { ticks, format } = roundScale(0, 1.9e6, { count: 3 });
  expect(ticks.map(format)).toEqual(['0', '1\u202fM', '2\u202fM']);
});
