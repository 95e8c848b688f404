import { describe, expect, it } from 'vitest';
import { crossEntropyReference } from '../../kernels/cross-entropy.reference';
import { matmulScratchElements } from '../../kernels/matmul';
import { matmulReference } from '../../kernels/matmul.reference';
import { expectClose, PROFILES, testGpu } from '../../kernels/testing';
import type { LlamaConfig } from '../../llama/config';
import { forwardReference } from '../../llama/forward.reference';
import { nextTokens } from '../../llama/inference';
import type { FlatModel } from '../../llama/parameters';
import { overflowingParameters, TINY } from '../../llama/testing';
import { axesOf, residualMoments, turnedModel } from './axes';
import { largestMagnitude, MODELS, someTokens, unevenModel } from './testing';
import { foldNorms } from './turn';

const SHAPE = { batch: 2, context: 6 };
const ROWS = 12;
const batchesFor = (config: LlamaConfig, count: number) =>
  Array.from({ length: count }, (_, i) => someTokens(ROWS, config.vocabSize, 20 + i));
const trace = (matrix: Float64Array, d: number) =>
  matrix.reduce((sum, v, i) => (i % (d + 1) === 0 ? sum + v : sum), 0);

/** Both moments in float64, the gradients by central differences at every norm's output. */
function momentsReference(model: FlatModel, batches: readonly Uint32Array[]) {
  const { hiddenSize: d, vocabSize, numHiddenLayers } = model.config;
  const residual = new Float64Array(d * d);
  const gradient = new Float64Array(d * d);
  const add = (sum: Float64Array, x: Float64Array) =>
    matmulReference('tn', x, x, d, d, ROWS).c.forEach((v, i) => (sum[i]! += v));
  for (const tokens of batches) {
    const targets = nextTokens(tokens, SHAPE.context);
    const predictions = SHAPE.batch * (SHAPE.context - 1);
    const lossWith = (change: (site: number, normed: Float64Array) => void) => {
      const logits = forwardReference(model, tokens, SHAPE, change);
      const { losses } = crossEntropyReference(logits, targets, vocabSize, 1);
      return losses.reduce((a, b) => a + b, 0) / predictions;
    };
    lossWith((_, normed) => add(residual, normed));
    for (let site = 0; site <= 2 * numHiddenLayers; site++) {
      const step = 1e-4;
      const moved = (i: number, by: number) =>
        lossWith((at, normed) => {
          if (at === site) normed[i]! += by;
        });
      add(
        gradient,
        Float64Array.from({ length: ROWS * d }, (_, i) => (moved(i, step) - moved(i, -step)) / (2 * step)),
      );
    }
  }
  return { residual, gradient };
}

describe.each(PROFILES)('moments of the residual stream, kernels for %s', (profile) => {
  // Small, since every coordinate of every norm is a pass of the reference; both shapes have odd sizes.
  const small = { vocabSize: 11, hiddenSize: 6, numHiddenLayers: 1, intermediateSize: 5, headDim: 4 };
  it.each(Object.entries(MODELS))('of a model that is %s, against float64', async (_, config) => {
    const gpu = await testGpu(profile);
    const model = foldNorms(unevenModel({ ...config, ...small }));
    const batches = batchesFor(model.config, 2);
    const expected = momentsReference(model, batches);
    const before = gpu.heldBytes();
    const actual = await residualMoments(gpu, model, batches, SHAPE, { gradients: true });
    expect(gpu.heldBytes()).toBe(before);
    // Float32 sums of 72 products; the gradients also carry the rounding of the passes behind them.
    for (const [part, tolerance] of [
      ['residual', 2e-6],
      ['gradient', 2e-5],
    ] as const) {
      const largest = largestMagnitude(expected[part]);
      expect(largest).toBeGreaterThan(1e-3);
      expectClose(actual[part]!, expected[part], { atol: tolerance * largest, rtol: 0 });
    }
  });
});

it('moments of many rows, whose products split k on a GPU, are those of a software adapter', async () => {
  const shape = { batch: 20, context: 32 };
  const model = foldNorms(unevenModel(TINY));
  const d = TINY.hiddenSize;
  const rows = 640;
  expect(matmulScratchElements({ m: d, n: d, k: rows })).toBeGreaterThan(0);
  const batches = [3, 4].map((seed) => someTokens(rows, TINY.vocabSize, seed));
  const [gpu, software] = await Promise.all(
    PROFILES.map(async (profile) =>
      residualMoments(await testGpu(profile), model, batches, shape, { gradients: true }),
    ),
  );
  for (const part of ['residual', 'gradient'] as const) {
    const largest = largestMagnitude(software![part]!);
    // Float32 sums of 6,400 products in another order; the gradients differ before they are summed.
    expectClose(gpu![part]!, software![part]!, { atol: 2e-5 * largest, rtol: 0 });
  }
  // x/√(mean x² + ε) has the mean square 1 but for ε: the trace counts dimensions, rows, norms and batches.
  expect(trace(gpu!.residual, d) / (d * rows * 5 * 2)).toBeCloseTo(1, 3);
});

describe('axes', () => {
  it('of two dimensions by hand', () => {
    // C_x has 3/4 along (1, 1)/√2, C_g has 9/10 along (1, −1)/√2.
    const residual = Float64Array.of(2, 1, 1, 2);
    const gradient = Float64Array.of(5, -4, -4, 5);
    const h = Math.SQRT1_2;
    const principal = axesOf({ residual, gradient: null }, 2);
    expectClose(principal.shares, [0.75, 0.25], { atol: 1e-15, rtol: 0 });
    expectClose([principal.axes[0]!, principal.axes[2]!], [h, h], { atol: 1e-15, rtol: 0 });
    // (1/4 + 9/10)/2 and (3/4 + 1/10)/2: the gradient's axis leads.
    const sensitive = axesOf({ residual, gradient }, 2);
    expectClose(sensitive.shares, [0.575, 0.425], { atol: 1e-15, rtol: 0 });
    expectClose([sensitive.axes[1]!, sensitive.axes[3]!], [h, h], { atol: 1e-15, rtol: 0 });
  });

  it('have no say in how large the loss is: moments count as shares of their trace', () => {
    const residual = Float64Array.of(2, 1, 1, 2);
    const gradient = Float64Array.of(5, -4, -4, 5);
    const small = axesOf({ residual, gradient: gradient.map((v) => v * 2 ** -30) }, 2);
    expect(small).toEqual(axesOf({ residual, gradient }, 2));
  });

  it('are refused where nothing was measured', () => {
    expect(() => axesOf({ residual: new Float64Array(4), gradient: null }, 2)).toThrow(/is NaN/);
  });
});

describe.each(Object.entries(MODELS))('a turned model that was %s', (_, config) => {
  const d = config.hiddenSize;
  const model = unevenModel(config);
  const batches = batchesFor(config, 6);
  const measured = async (turned: FlatModel, kind: 'principal' | 'sensitive') => {
    const gradients = kind === 'sensitive';
    const moments = await residualMoments(await testGpu(), turned, batches, SHAPE, { gradients });
    const parts = gradients ? [moments.residual, moments.gradient!] : [moments.residual];
    return moments.residual.map((_, i) =>
      parts.reduce((sum, part) => sum + part[i]! / trace(part, d) / parts.length, 0),
    );
  };

  it.each(['principal', 'sensitive'] as const)(
    'has the %s moments on its diagonal, descending',
    async (kind) => {
      const gpu = await testGpu();
      const { model: turned, shares } = await turnedModel(gpu, model, kind, batches, SHAPE);
      expect([...shares].every((share, j) => j === 0 || share <= shares[j - 1]!)).toBe(true);
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
      const diagonal = Float64Array.from({ length: d * d }, (_, i) =>
        i % (d + 1) === 0 ? shares[i % d]! : 0,
      );
      // Measured anew on the turned model: float32's rounding of both passes, in shares of a trace of 1.
      expectClose(await measured(turned, kind), diagonal, { atol: 3e-6, rtol: 0 });
      // It was not so before.
      const before = await measured(foldNorms(model), kind);
      expect(largestMagnitude(before.filter((_, i) => i % (d + 1) !== 0))).toBeGreaterThan(1e-3);

      const logits = forwardReference(model, batches[0]!, SHAPE);
      const same = forwardReference(turned, batches[0]!, SHAPE);
      // One rounding of the weights to float32, of logits near 1.
      expectClose(same, logits, { atol: 2e-6 * largestMagnitude(logits), rtol: 0 });
    },
  );
});

describe('a turn', () => {
  it('tells how far it is and gives everything back when it is cancelled', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const seen: string[] = [];
    const turning = turnedModel(
      gpu,
      unevenModel(TINY),
      'sensitive',
      batchesFor(TINY, 3),
      SHAPE,
      (done, total) => {
        seen.push(`${done} of ${total}`);
        if (done === 2) throw new Error('cancelled');
      },
    );
    await expect(turning).rejects.toThrow('cancelled');
    expect(seen).toEqual(['1 of 3', '2 of 3']);
    expect(gpu.heldBytes()).toBe(before);
  });

  it('is refused for a model that overflows', async () => {
    const gpu = await testGpu();
    const before = gpu.heldBytes();
    const broken = { config: TINY, parameters: overflowingParameters(TINY) };
    await expect(turnedModel(gpu, broken, 'principal', batchesFor(TINY, 1), SHAPE)).rejects.toThrow(
      /A second moment of the normalised residual at place 1 is/,
    );
    expect(gpu.heldBytes()).toBe(before);
  });
});
