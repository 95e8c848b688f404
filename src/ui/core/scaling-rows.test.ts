import { describe, expect, it } from 'vitest';
import { scalingRows } from './scaling-rows';

const points = [
  { parameters: 1e6, loss: 5 },
  { parameters: 4e6, loss: 4 },
  { parameters: 16e6, loss: 3.5 },
];
const law = { a: 2000, b: 0.5, c: 3 };
const fits = [
  { domain: 'books', points, fit: { law } },
  { domain: 'code', points: points.map((p) => ({ ...p, loss: p.loss - 1 })), fit: { problem: 'None.' } },
];

describe('scalingRows', () => {
  it('has every size and the target, in order, with room to either side', () => {
    const sizes = scalingRows(fits, 3e5).map(({ parameters }) => parameters);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(sizes).toEqual(expect.arrayContaining([3e5, 1e6, 4e6, 16e6]));
    expect(sizes[0]).toBeLessThan(3e5);
    expect(sizes.at(-1)).toBeGreaterThan(16e6);
  });

  it('tells what was measured from what is continued; the two meet at the outermost members', () => {
    for (const row of scalingRows(fits, 3e5)) {
      const { parameters, within0, beyond0 } = row;
      expect(within0 !== undefined).toBe(parameters >= 1e6 && parameters <= 16e6);
      expect(beyond0 !== undefined).toBe(parameters <= 1e6 || parameters >= 16e6);
      expect(within0 ?? beyond0).toBeCloseTo(2000 / Math.sqrt(parameters) + 3, 12);
      expect(row['point0']).toBe(points.find((point) => point.parameters === parameters)?.loss);
    }
  });

  it('draws points alone where there is no law, and nothing without a family', () => {
    const rows = scalingRows(fits, null);
    expect(rows.filter((row) => row['point1'] !== undefined)).toHaveLength(3);
    expect(rows.every((row) => row['within1'] === undefined && row['beyond1'] === undefined)).toBe(true);
    expect(scalingRows([], 3e5)).toEqual([]);
  });
});
