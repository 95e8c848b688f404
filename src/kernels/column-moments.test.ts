import { describe, expect, test } from 'vitest';
import { columnMoments, MOMENTS } from './column-moments';
import { columnMomentsReference } from './column-moments.reference';
import { download, expectClose, randomValues, runOnce, upload, zeros } from './testing';

describe('column_moments', () => {
  test.each([
    { windows: 1, window: 1, columns: 1 },
    { windows: 3, window: 5, columns: 7 },
    { windows: 4, window: 128, columns: 192 },
    { windows: 2, window: 17, columns: 65 },
  ])('$windows windows of $window rows, $columns columns', async (shape) => {
    const values = randomValues(shape.windows * shape.window * shape.columns, 5);
    const expected = columnMomentsReference(values, shape);
    const destination = await zeros(64 + expected.length);
    const x = await upload(values);
    await runOnce((r) =>
      columnMoments(r, { values: x, ...shape, destination, destinationOffset: 64, label: 'test' }),
    );
    const actual = await download(destination);
    expect([...actual.subarray(0, 64)]).toEqual(Array(64).fill(0));
    // T additions and a product, each rounded by 2⁻²⁴ of a running sum that Σ|x| bounds.
    const magnitude = expected.map((_, i) => {
      const [w, j] = [Math.floor(i / (MOMENTS * shape.columns)), i % shape.columns];
      return expected[(w * MOMENTS + 2) * shape.columns + j]!;
    });
    expectClose(actual.subarray(64), expected, { atol: 1e-7, rtol: (shape.window + 1) * 6e-8, magnitude });
  });

  test('a window by hand', () => {
    const moments = columnMomentsReference([1, -2, 3, 4], { windows: 1, window: 2, columns: 2 });
    expect([...moments]).toEqual([4, 2, 10, 20, 4, 6]);
  });
});
