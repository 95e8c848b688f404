import { describe, expect, test } from 'vitest';
import type { Recorder } from '../gpu/program';
import { columnSum } from './column-sum';
import { columnSumReference } from './column-sum.reference';
import { download, expectClose, randomValues, runOnce, upload } from './testing';

describe('column_sum', () => {
  test.each([
    { rows: 1, stride: 1, firstColumn: 0, columns: 1, destinationOffset: 0 },
    { rows: 7, stride: 45, firstColumn: 3, columns: 33, destinationOffset: 5 },
    { rows: 32, stride: 1000, firstColumn: 200, columns: 640, destinationOffset: 64 },
    // The gradient of a bias over a batch: many rows, few columns.
    { rows: 1024, stride: 96, firstColumn: 0, columns: 96, destinationOffset: 0 },
  ])('$rows rows, columns $firstColumn + $columns of $stride', async ({ destinationOffset, ...shape }) => {
    const matrix = randomValues(shape.rows * shape.stride, shape.rows);
    const before = randomValues(destinationOffset + shape.columns + 9, 99);
    const destination = await upload(before);
    const slice = await upload(matrix);
    const sum = (accumulate: boolean) => (r: Recorder) =>
      columnSum(r, {
        partials: { slice, blocks: shape.rows, columns: shape.stride },
        firstColumn: shape.firstColumn,
        columns: shape.columns,
        destination,
        destinationOffset,
        accumulate,
        label: 'test',
      });
    await runOnce(sum(false));
    const actual = await download(destination);
    const { sums, magnitudes } = columnSumReference(matrix, shape);
    // Each addition rounds by at most 2⁻²⁴ of the running sum: (rows/4 + 5) additions.
    expectClose(actual.subarray(destinationOffset), sums, {
      atol: 1e-7,
      rtol: (shape.rows / 4 + 5) * 6e-8,
      magnitude: magnitudes,
    });
    // Its neighbours are left alone.
    expect([...actual.subarray(0, destinationOffset)]).toEqual([...before.subarray(0, destinationOffset)]);
    const after = destinationOffset + shape.columns;
    expect([...actual.subarray(after)]).toEqual([...before.subarray(after)]);

    await runOnce(sum(true));
    const twice = await download(destination);
    expect([...twice]).toEqual([...actual].map((v, i) => (i < destinationOffset || i >= after ? v : 2 * v)));
  });
});
