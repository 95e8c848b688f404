import { expect, test } from 'vitest';
import { headGateSums } from './head-gate-sums';
import { download, randomValues, runOnce, upload } from './testing';

test.each([
  { layers: 1, rows: 1, heads: 1, keyValueHeads: 1 },
  { layers: 3, rows: 70, heads: 6, keyValueHeads: 2 },
  { layers: 2, rows: 700, heads: 4, keyValueHeads: 4 },
])('$layers layers, $rows rows, $heads heads in $keyValueHeads groups', async (shape) => {
  const { layers, rows, heads, keyValueHeads } = shape;
  const stride = rows * heads + 5;
  const delta = randomValues(layers * stride, 1);
  const gates = randomValues(3 + layers * keyValueHeads, 2).map((v, i) =>
    i === 4 ? 0 : Math.fround(0.6 + v / 3),
  );
  const before = randomValues(2 + layers * keyValueHeads + 1, 3);
  const given = { delta: await upload(delta), gates: await upload(gates), sums: await upload(before) };
  await runOnce((r) => headGateSums(r, { ...shape, ...given, stride, headGate: 3, to: 2, label: 'test' }));
  const sums = await download(given.sums);
  const groupHeads = heads / keyValueHeads;
  for (let i = 0; i < layers * keyValueHeads; i++) {
    const [l, g] = [Math.floor(i / keyValueHeads), i % keyValueHeads];
    let [sum, magnitude] = [0, 0];
    for (let row = 0; row < rows; row++) {
      for (let h = 0; h < groupHeads; h++) {
        const value = delta[l * stride + row * heads + g * groupHeads + h]!;
        sum += value;
        magnitude += Math.abs(value);
      }
    }
    const z = gates[3 + i]!;
    const expected = z === 0 ? 0 : sum / z;
    // A thread's additions, eight of the tree, the division; WGSL divides within 2.5 ulp.
    const roundings = Math.ceil((rows * groupHeads) / 256) + 12;
    const bound = z === 0 ? 0 : (roundings * 2 ** -24 * magnitude) / z;
    expect(Math.abs(sums[2 + i]! - expected)).toBeLessThanOrEqual(bound);
  }
  for (const i of [0, 1, before.length - 1]) expect(sums[i]).toBe(before[i]);
});
