import { expect, test } from 'vitest';
import { ropeTable } from './rope';
import { ropeToCache } from './rope-cache';
import { ropeReference } from './rope.reference';
import { download, expectClose, randomValues, runOnce, upload, uploadWords } from './testing';

const SHAPES = [
  { context: 1, position: 0, heads: 1, keyValueHeads: 1, headDim: 2 },
  { context: 5, position: 4, heads: 6, keyValueHeads: 3, headDim: 6 },
  { context: 37, position: 11, heads: 6, keyValueHeads: 2, headDim: 32 },
  { context: 9, position: 1, heads: 2, keyValueHeads: 2, headDim: 128 },
];

test.each(SHAPES)('writes one row of the cache, %o', async ({ context, position, ...heads }) => {
  const columns = (heads.heads + 2 * heads.keyValueHeads) * heads.headDim;
  const product = randomValues(columns, 1);
  const bias = randomValues(columns, 2);
  const table = ropeTable(heads.headDim, context, { theta: 10_000 });
  // The reference rotates whole sequences: this one has the same product at every position.
  const rows = Float64Array.from({ length: context * columns }, (_, i) => product[i % columns]!);
  for (const withBias of [false, true]) {
    const cache = await upload(new Float64Array(context * columns).fill(9));
    const options = {
      product: await upload(product),
      bias: withBias ? await upload(bias) : undefined,
      table: await upload(table),
      state: await uploadWords([3, position]),
      cache,
    };
    await runOnce((r) => ropeToCache(r, { ...options, ...heads, label: 'test' }));
    const first = position * columns;
    const all = ropeReference(rows, withBias ? bias : null, table, { ...heads, batch: 1, context });
    const written = await download(cache);
    // Two products and three sums of values below 2.
    expectClose(written.subarray(first, first + columns), all.subarray(first, first + columns), {
      atol: 2 ** -21,
      rtol: 0,
    });
    expect(written.filter((v) => v === 9).length).toBe((context - 1) * columns);
  }
});
