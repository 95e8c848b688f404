import { describe, expect, test } from 'vitest';
import { gateLayoutOf } from './gate-layout.reference';
import { setSquares } from './set-squares';
import { setSquaresReference } from './set-squares.reference';
import { download, expectClose, randomValues, runOnce, upload, zeros } from './testing';

describe('set_squares', () => {
  test('of 1, 2, 3 and a pinned 9 is 14/3', () => {
    const layout = gateLayoutOf({ hidden: 4, layers: 1, keyValueHeads: 1, intermediate: 1 });
    const squares = setSquaresReference([0, 4, -4, 64, 0, 0, 0], [1, 2, 3, 9, 5, 6, 7], layout);
    expect([...squares].slice(0, 4)).toEqual(Array(4).fill(14 / 3));
    expect([...squares].sort((a, b) => a - b)).toEqual([...Array<number>(4).fill(14 / 3), 25, 36, 49]);
  });

  test.each([
    { hidden: 1, layers: 1, keyValueHeads: 1, intermediate: 1 },
    { hidden: 37, layers: 3, keyValueHeads: 2, intermediate: 45 },
    { hidden: 576, layers: 30, keyValueHeads: 3, intermediate: 1536 },
  ])('d $hidden, L $layers, G $keyValueHeads, I $intermediate', async (shape) => {
    const layout = gateLayoutOf(shape);
    const values = randomValues(layout.total, 1, 4.6);
    // Pinned by hand: in the first set some, and the whole of the last.
    if (layout.total > 8) [values[0], values[1]] = [64, -64];
    const last = layout.sets.at(-1)!;
    values.fill(64, last.offset);
    const gradients = randomValues(layout.total, 2, 0.01);
    // Behind the last gate stand the multipliers.
    const [logAlpha, gradient, squares] = [
      await upload([...values, 200, 0]),
      await upload([...gradients, 7, 7]),
      await zeros(layout.total),
    ];
    await runOnce((r) => setSquares(r, { logAlpha, gradient, squares, layout, label: 'test' }));
    // At most 180 rounded sums of positive terms a thread and 8 in the tree: 188·2⁻²⁴, in the worst case.
    const expected = setSquaresReference(values, gradients, layout);
    expectClose(await download(squares), expected, { atol: 0, rtol: 1.2e-5 });
    expect(expected.at(-1)).toBe(0);
  });
});
