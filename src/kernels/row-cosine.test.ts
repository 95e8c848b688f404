import { describe, expect, test } from 'vitest';
import { rowCosine } from './row-cosine';
import { rowCosineReference } from './row-cosine.reference';
import { download, expectClose, randomValues, runOnce, upload, zeros } from './testing';

describe('row_cosine', () => {
  test.each([
    { rows: 1, columns: 1 },
    { rows: 65, columns: 7 },
    { rows: 130, columns: 64 },
  ])('$rows rows of $columns', async (shape) => {
    const a = randomValues(shape.rows * shape.columns, 1);
    // Near `a`, as a block's output is near its input; the last row is zero.
    const b = randomValues(a.length, 2, 0.1).map((noise, i) =>
      i < (shape.rows - 1) * shape.columns ? Math.fround(a[i]! + noise) : 0,
    );
    const destination = await zeros(3 + shape.rows);
    const [slices, label] = [{ a: await upload(a), b: await upload(b) }, 'test'];
    await runOnce((r) => rowCosine(r, { ...slices, ...shape, destination, destinationOffset: 3, label }));
    const actual = (await download(destination)).subarray(3);
    // Three sums of C/4 + 4 roundings each, two roots (WGSL: 3 ulp through inverseSqrt), a product, a quotient (2.5 ulp).
    expectClose(actual, rowCosineReference(a, b, shape), {
      atol: (shape.columns / 4 + 16) * 1.2e-7,
      rtol: 0,
    });
    expect(actual[shape.rows - 1]).toBe(0);
  });

  test('rows by hand', () => {
    const cosines = rowCosineReference([3, 4, 1, 0], [3, 4, 0, 1], { rows: 2, columns: 2 });
    expect([...cosines]).toEqual([1, 0]);
  });
});
