import { expect, test } from 'vitest';
import { sliceElements } from '../gpu/buffers';
import { productSums, type PendingSum } from './product-sums';
import { download, expectClose, randomValues, runOnce, upload } from './testing';

/** Slices and elements of products; more than a dispatch takes at a time. */
const SIZES = [
  [16, 64],
  [1, 65],
  [2, 300],
  [5, 1],
  [8, 128],
  [7, 63],
] as const;
/** Elements between what products and sums have in their buffers: bindings' alignment. */
const ROOM = 3072;

test.each([1, 3, 4, 6])('%i sums, each at its place and nothing beside it', async (count) => {
  const values = randomValues(ROOM * SIZES.length, 1);
  const before = randomValues(ROOM * SIZES.length, 2);
  const [products, destination] = [await upload(values), await upload(before)];
  const run = async () => {
    const pending: PendingSum[] = SIZES.slice(0, count).map(([slices, elements], i) => ({
      products: sliceElements(products, i * ROOM, slices * elements),
      slices,
      elements,
      destination: sliceElements(destination, (SIZES.length - 1 - i) * ROOM, elements),
    }));
    await runOnce((r) => productSums(r, { pending, products, destination, label: 'test' }));
    expect(pending).toEqual([]);
    return download(destination);
  };
  const expected = Float64Array.from(before);
  const magnitude = expected.map(Math.abs);
  SIZES.slice(0, count).forEach(([slices, elements], i) => {
    for (let j = 0; j < elements; j++) {
      const terms = Array.from({ length: slices }, (_, s) => values[i * ROOM + s * elements + j]!);
      const to = (SIZES.length - 1 - i) * ROOM + j;
      expected[to] = terms.reduce((sum, term) => sum + term, 0);
      magnitude[to] = terms.reduce((sum, term) => sum + Math.abs(term), 0);
    }
  });
  const actual = await run();
  // At most 16 additions, each rounded by 2⁻²⁴ of what has been added.
  expectClose(actual, expected, { atol: 0, rtol: 16 * 2 ** -24, magnitude });
  expect(await run()).toEqual(actual);
});
