import { describe, expect, test } from 'vitest';
import { matmulReference } from './matmul.reference';
import { matvec } from './matvec';
import { download, expectClose, PROFILES, randomValues, runOnce, upload } from './testing';

const SIZES = [
  { n: 1, k: 1 },
  { n: 7, k: 3 },
  { n: 37, k: 4 },
  { n: 9, k: 61 },
  { n: 131, k: 24 },
  { n: 67, k: 256 },
  { n: 33, k: 1027 },
  { n: 5, k: 1028 },
];

describe.each(PROFILES)('matvec, %s kernels', (profile) => {
  test.each(SIZES)('$n × $k', async ({ n, k }) => {
    const matrix = randomValues(n * k, 1);
    // A row block of a longer buffer: what stands behind x is no part of it.
    const x = randomValues(3 * k, 2);
    const bias = randomValues(n, 3);
    const { c, magnitude } = matmulReference('nt', x, matrix, 1, n, k);
    for (const withBias of [false, true]) {
      const y = await upload(new Float64Array(n + 5).fill(9));
      const given = { matrix: await upload(matrix), x: await upload(x), y };
      const options = { ...given, bias: withBias ? await upload(bias) : undefined, n, k, label: 'test' };
      await runOnce((r) => matvec(r, options), profile);
      const written = await download(y);
      const expected = withBias ? c.map((v, i) => v + bias[i]!) : c;
      // k roundings at most of a sum whose terms add up to the magnitude, and that of the bias.
      expectClose(written, expected, { atol: 1e-6, rtol: k * 2 ** -24, magnitude });
      expect([...written.subarray(n)]).toEqual([9, 9, 9, 9, 9]);
    }
  });
});
