import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallConfig } from '../formats/testing';
import { prunedConfig, shapeOf, type LlamaConfig, type TargetShape } from '../llama/config';
import {
  checkTarget,
  legalSteps,
  nearestLegalTarget,
  SHEARED_SHAPES,
  TARGET_FIELDS,
  TARGET_PRESETS,
  type ActiveGates,
} from './target-shape';

const on: ActiveGates = { hidden: true, head: true, intermediate: true, layer: true };
const source = smallConfig({ ...SHEARED_SHAPES.source, numKeyValueHeads: 8, headDim: 128 });

const anySource: fc.Arbitrary<LlamaConfig> = fc
  .record({
    numHiddenLayers: fc.integer({ min: 1, max: 40 }),
    hiddenSize: fc.integer({ min: 1, max: 5000 }),
    numKeyValueHeads: fc.integer({ min: 1, max: 9 }),
    perGroup: fc.integer({ min: 1, max: 8 }),
    intermediateSize: fc.integer({ min: 1, max: 12000 }),
  })
  .map(({ perGroup, ...shape }) =>
    smallConfig({ ...shape, numAttentionHeads: shape.numKeyValueHeads * perGroup }),
  );
const anyNumber = fc.oneof(fc.integer({ min: -5, max: 13000 }), fc.double());
const anyTarget: fc.Arbitrary<TargetShape> = fc.record({
  numHiddenLayers: anyNumber,
  hiddenSize: anyNumber,
  numAttentionHeads: anyNumber,
  intermediateSize: anyNumber,
});
const anyGates = fc.record({
  hidden: fc.boolean(),
  head: fc.boolean(),
  intermediate: fc.boolean(),
  layer: fc.boolean(),
});

describe('checkTarget', () => {
  it('accepts what can be cut', () => {
    expect(checkTarget(source, SHEARED_SHAPES['1.3B'], on)).toEqual([]);
    expect(checkTarget(source, shapeOf(source), { ...on, hidden: false })).toEqual([]);
  });

  it.each<[Partial<TargetShape>, ActiveGates, string]>([
    [
      { numHiddenLayers: 33 },
      on,
      'target.numHiddenLayers (33) must be at most 32, as the source has no more.',
    ],
    [{ hiddenSize: 0 }, on, 'target.hiddenSize (0) must be a whole number from 1 to 4096.'],
    [{ intermediateSize: 1.5 }, on, 'target.intermediateSize (1.5) must be a whole number from 1 to 11008.'],
    [
      { numAttentionHeads: 6 },
      on,
      'target.numAttentionHeads (6) must be a multiple of 4, because so many query heads share one key/value head of the source.',
    ],
    [
      { hiddenSize: 2048 },
      { ...on, hidden: false },
      'target.hiddenSize (2048) must stay 4096 as in the source, or gates.hidden must be on.',
    ],
  ])('names the field of %j', (change, gates, message) => {
    const field = Object.keys(change)[0];
    expect(checkTarget(source, { ...shapeOf(source), ...change }, gates)).toEqual([{ field, message }]);
  });

  it('lists every field that is wrong', () => {
    const wrong = { numHiddenLayers: 0, hiddenSize: NaN, numAttentionHeads: 99, intermediateSize: -1 };
    expect(checkTarget(source, wrong, on).map((problem) => problem.field)).toEqual(TARGET_FIELDS);
  });
});

describe('nearestLegalTarget', () => {
  it('is legal for any source, target and gates, and leaves a legal target alone', () => {
    fc.assert(
      fc.property(anySource, anyTarget, anyGates, (config, target, gates) => {
        const nearest = nearestLegalTarget(config, target, gates);
        expect(checkTarget(config, nearest, gates)).toEqual([]);
        expect(nearestLegalTarget(config, nearest, gates)).toEqual(nearest);
        if (checkTarget(config, target, gates).length === 0) expect(nearest).toEqual(target);
        expect(Number.isInteger(prunedConfig(config, nearest).numKeyValueHeads)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('legalSteps', () => {
  it('has sliders that stop at legal values only and at the source’s size', () => {
    fc.assert(
      fc.property(anySource, (config) => {
        const steps = legalSteps(config);
        for (const field of TARGET_FIELDS) {
          const { min, max, multiple, slider } = steps[field];
          expect(max).toBe(config[field]);
          expect(slider.min).toBeGreaterThanOrEqual(min);
          expect((max - slider.min) % slider.step).toBe(0);
          expect((max - slider.min) / slider.step).toBeLessThan(50);
          for (let value = slider.min; value <= max; value += slider.step) expect(value % multiple).toBe(0);
        }
      }),
    );
  });

  it('moves in steps that suit the size', () => {
    const { hiddenSize, numAttentionHeads, intermediateSize, numHiddenLayers } = legalSteps(source);
    expect(hiddenSize).toEqual({ min: 1, max: 4096, multiple: 1, slider: { min: 128, step: 128 } });
    expect(numAttentionHeads).toEqual({ min: 4, max: 32, multiple: 4, slider: { min: 4, step: 4 } });
    expect(intermediateSize.slider).toEqual({ min: 256, step: 256 });
    expect(numHiddenLayers.slider).toEqual({ min: 1, step: 1 });
  });
});

describe('presets', () => {
  it('give the published shapes from the published source', () => {
    const llama2 = smallConfig({ ...SHEARED_SHAPES.source, numKeyValueHeads: 32, headDim: 128 });
    for (const name of ['2.7B', '1.3B', '370M'] as const) {
      const preset = TARGET_PRESETS.find(({ id }) => id === `sheared-${name.toLowerCase()}`)!;
      expect(preset.target(llama2)).toEqual(SHEARED_SHAPES[name]);
    }
  });

  it('are legal for any source', () => {
    fc.assert(
      fc.property(anySource, (config) => {
        for (const preset of TARGET_PRESETS)
          expect(checkTarget(config, preset.target(config), on)).toEqual([]);
      }),
    );
    expect(new Set(TARGET_PRESETS.map(({ id }) => id)).size).toBe(TARGET_PRESETS.length);
  });
});
