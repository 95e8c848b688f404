import { describe, expect, test } from 'vitest';
import { addColumns, takeColumns } from './columns';
import { addColumnsReference, takeColumnsReference } from './columns.reference';
import { download, expectClose, randomValues, runOnce, upload, zeros } from './testing';

describe('columns', () => {
  test.each([
    ['the first', 0, 8],
    ['some in the middle', 7, 11],
    ['all', 0, 29],
  ])('%s columns are taken and added to, scaled', async (_, first, columns) => {
    const shape = { rows: 37, width: 29, first, columns, scale: 2.5 };
    const values = randomValues(shape.rows * shape.width, 1);
    const added = randomValues(shape.rows * columns, 2);
    const whole = await upload(values);
    const taken = await zeros(shape.rows * columns);
    const part = await upload(added);
    await runOnce((r) => {
      takeColumns(r, { ...shape, whole, part: taken, label: 'take' });
      addColumns(r, { ...shape, whole, part, label: 'add' });
    });
    // A product and an addition in f32: an ulp of values up to 3.5.
    expectClose(await download(taken), takeColumnsReference(values, shape), { atol: 3e-7, rtol: 0 });
    const expected = addColumnsReference(values, added, shape);
    expectClose(await download(whole), expected, { atol: 4e-7, rtol: 0 });
    expect(expected.filter((v, i) => v !== values[i])).toHaveLength(shape.rows * columns);
  });
});
