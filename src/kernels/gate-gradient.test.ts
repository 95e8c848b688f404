import { describe, test } from 'vitest';
import { gateGradient } from './gate-gradient';
import { gateGradientReference, gateObjective } from './gate-gradient.reference';
import { gateLayoutOf } from './gate-layout.reference';
import { download, expectClose, numericalGradient, randomValues, runOnce, upload, zeros } from './testing';

interface Shape {
  hidden: number;
  layers: number;
  keyValueHeads: number;
  intermediate: number;
}

const sumCount = ({ hidden, layers, keyValueHeads, intermediate }: Shape) =>
  (4 * layers + 1) * hidden + layers * (intermediate + keyValueHeads);

describe('gate_gradient', () => {
  test.each<Shape>([
    { hidden: 1, layers: 1, keyValueHeads: 1, intermediate: 1 },
    { hidden: 65, layers: 3, keyValueHeads: 2, intermediate: 37 },
    { hidden: 192, layers: 6, keyValueHeads: 4, intermediate: 512 },
    // Heads and units fill whole workgroups exactly.
    { hidden: 128, layers: 4, keyValueHeads: 16, intermediate: 48 },
  ])('d $hidden, L $layers, G $keyValueHeads, I $intermediate', async (shape) => {
    const layout = gateLayoutOf(shape);
    const sums = randomValues(sumCount(shape), 1);
    const z = randomValues(layout.total, 2).map((v) => Math.max(0, v));
    const gradient = await zeros(layout.total);
    const [sumsSlice, gates] = [await upload(sums), await upload(z)];
    await runOnce((r) => gateGradient(r, { sums: sumsSlice, gates, gradient, ...shape, label: 'test' }));
    const expected = gateGradientReference(sums, z, layout);
    // At most 4L + 1 or d / 64 + 6 additions and a product each: under 32 roundings of 2⁻²⁴.
    expectClose(await download(gradient), expected.gradient, {
      atol: 1e-7,
      rtol: 2e-6,
      magnitude: expected.magnitudes,
    });
  });

  test('reference agrees with central differences', () => {
    const shape = { hidden: 3, layers: 2, keyValueHeads: 2, intermediate: 4 };
    const layout = gateLayoutOf(shape);
    const sums = randomValues(sumCount(shape), 3);
    const z = randomValues(layout.total, 4);
    expectClose(
      gateGradientReference(sums, z, layout).gradient,
      numericalGradient((at) => gateObjective(sums, at, layout), z),
      { atol: 1e-8, rtol: 1e-7 },
    );
  });
});
