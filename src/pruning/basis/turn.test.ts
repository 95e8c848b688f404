import { describe, expect, it } from 'vitest';
import { expectClose, testGpu } from '../../kernels/testing';
import { evaluateSets, meanLoss } from '../../llama/evaluate';
import { forwardReference } from '../../llama/forward.reference';
import { gateLayout } from '../../llama/gates';
import { openGates, withModel } from '../../llama/inference';
import { packParameters, parameterLayout, unpackParameters, type FlatModel } from '../../llama/parameters';
import { TINY } from '../../llama/testing';
import { cutModel } from '../surgery';
import { largestMagnitude, MODELS, someAxes, someTokens, unevenModel } from './testing';
import { foldedConfig, foldNorms, turn, turnInto } from './turn';

const SHAPE = { batch: 2, context: 7 };
const ROWS = 14;

/** As `turnInto`, without rounding. */
const unrounded = (model: FlatModel, axes: Float64Array | null) => {
  const config = foldedConfig(model.config);
  return { config, parameters: turnInto(new Float64Array(parameterLayout(config).total), model, axes) };
};

describe.each(Object.entries(MODELS))('a model that is %s', (_, config) => {
  const model = unevenModel(config);
  const axes = someAxes(config.hiddenSize);
  const tokens = someTokens(ROWS, config.vocabSize);

  it('is the same function folded and turned', () => {
    const logits = forwardReference(model, tokens, SHAPE);
    const largest = largestMagnitude(logits);
    expect(largest).toBeGreaterThan(0.5);
    for (const same of [unrounded(model, null), unrounded(model, axes)]) {
      // Sums of a few dozen terms in another order, one after the other: a few hundred rounding errors of float64.
      expectClose(forwardReference(same, tokens, SHAPE), logits, { atol: 1e-13 * largest, rtol: 0 });
    }
    // A norm left out, as a control: folding is not a formality for these weights.
    const unfolded = { ...model, parameters: model.parameters.slice() };
    const { norms } = parameterLayout(config);
    unfolded.parameters.fill(1, norms.offset, norms.offset + norms.elements);
    const changed = forwardReference(unfolded, tokens, SHAPE);
    expect(largestMagnitude(changed.map((v, i) => v - logits[i]!))).toBeGreaterThan(0.05 * largest);
  });

  it('is rounded once, and is untied with norms of 1', () => {
    const exact = unrounded(model, axes);
    const turned = turn(model, axes);
    expect(turned.parameters).toEqual(Float32Array.from(exact.parameters));
    expect(turned.config).toEqual({ ...config, tieWordEmbeddings: false });
    const tensors = unpackParameters(parameterLayout(turned.config), turned.parameters);
    const norms = [...tensors].filter(([name]) => name.includes('norm'));
    expect(norms).toHaveLength(2 * config.numHiddenLayers + 1);
    for (const [, weights] of norms) expect([...weights]).toEqual(Array(config.hiddenSize).fill(1));
    // Every other tensor is turned but the biases of q, k, v, gate and up, which no hidden dimension indexes.
    const before = unpackParameters(parameterLayout(foldedConfig(config)), foldNorms(model).parameters);
    const unchanged = [...tensors].filter(
      ([name, weights]) => !name.includes('norm') && weights.every((w, i) => w === before.get(name)![i]),
    );
    const kept = ['self_attn.q', 'self_attn.k', 'self_attn.v', 'mlp.gate', 'mlp.up'].flatMap((of) =>
      Array.from({ length: config.numHiddenLayers }, (_, l) => `model.layers.${l}.${of}_proj.bias`),
    );
    expect(unchanged.map(([name]) => name).sort()).toEqual(config.attentionBias ? kept.sort() : []);
  });

  it('comes back when it is turned back', () => {
    const back = axes.map(
      (_, i) => axes[(i % config.hiddenSize) * config.hiddenSize + Math.floor(i / config.hiddenSize)]!,
    );
    const folded = foldNorms(model);
    expect(foldNorms(folded)).toEqual(folded);
    // Weights near 0.3, rounded to float32 twice, and mixed with their neighbours' rounding.
    expectClose(turn(turn(model, axes), back).parameters, folded.parameters, { atol: 2e-7, rtol: 0 });
  });

  it('has the same losses on the GPU', async () => {
    const gpu = await testGpu();
    const set = { name: 'text', tokens, windows: SHAPE.batch };
    const losses = [];
    for (const each of [model, foldNorms(model), turn(model, axes)]) {
      const sums = await withModel(gpu, 'model', each, SHAPE, (inference) => evaluateSets(inference, [set]));
      losses.push(meanLoss(sums[0]!));
    }
    // Float32 weights rounded once more and float32 sums in another order: a few 1e-7 of logits near 1.
    expectClose(losses.slice(1), [losses[0]!, losses[0]!], { atol: 2e-6, rtol: 0 });
    expect(gpu.uncapturedError()).toBeNull();
  });

  it('loses its last axes to surgery as to a mask', async () => {
    const gpu = await testGpu();
    const turned = turn(model, axes);
    const mask = openGates(turned.config);
    const { offset, length } = gateLayout(turned.config).hidden;
    const kept = length - 7;
    mask.fill(0, offset + kept, offset + length);
    const cut = cutModel(turned.config, turned.parameters, mask);
    expect(cut.config.hiddenSize).toBe(kept);
    const { open, masked } = await withModel(gpu, 'turned', turned, SHAPE, async (inference) => {
      const open = await inference.logits(tokens, 0, ROWS);
      inference.setGates(mask);
      return { open, masked: await inference.logits(tokens, 0, ROWS) };
    });
    const pruned = await withModel(gpu, 'cut', cut, SHAPE, (inference) => inference.logits(tokens, 0, ROWS));
    // The same terms summed in another order (as in src/pruning/surgery.test.ts).
    expectClose(pruned, masked, { atol: 1e-5, rtol: 0 });
    expect(largestMagnitude(masked.map((v, i) => v - open[i]!))).toBeGreaterThan(1e-2);
  });
});

describe('two hidden dimensions by hand', () => {
  const config = {
    ...TINY,
    vocabSize: 2,
    hiddenSize: 2,
    numHiddenLayers: 1,
    numAttentionHeads: 1,
    numKeyValueHeads: 1,
    headDim: 2,
    intermediateSize: 1,
    attentionBias: true,
  };
  const weights = (...values: number[]) => Float32Array.from(values);
  const layer = 'model.layers.0';
  const model: FlatModel = {
    config,
    parameters: packParameters(
      parameterLayout(config),
      new Map([
        ['model.embed_tokens.weight', weights(3, 4, 5, 6)],
        [`${layer}.self_attn.q_proj.weight`, weights(1, 2, 3, 4)],
        [`${layer}.self_attn.k_proj.weight`, weights(5, 6, 7, 8)],
        [`${layer}.self_attn.v_proj.weight`, weights(1, 0, 0, 1)],
        [`${layer}.self_attn.o_proj.weight`, weights(1, 2, 3, 4)],
        [`${layer}.self_attn.q_proj.bias`, weights(1, 2)],
        [`${layer}.self_attn.k_proj.bias`, weights(3, 4)],
        [`${layer}.self_attn.v_proj.bias`, weights(5, 6)],
        [`${layer}.self_attn.o_proj.bias`, weights(7, 8)],
        [`${layer}.mlp.gate_proj.weight`, weights(1, 2)],
        [`${layer}.mlp.up_proj.weight`, weights(3, 4)],
        [`${layer}.mlp.down_proj.weight`, weights(5, 6)],
        [`${layer}.input_layernorm.weight`, weights(2, 10)],
        [`${layer}.post_attention_layernorm.weight`, weights(100, 1000)],
        ['model.norm.weight', weights(-1, 0.5)],
        ['lm_head.weight', weights(1, 2, 3, 4)],
      ]),
    ),
  };
  const named = ({ config, parameters }: FlatModel) => {
    const tensors = unpackParameters(parameterLayout(config), parameters);
    return Object.fromEntries(
      [...tensors].map(([name, values]) => [name.replace(`${layer}.`, ''), [...values]]),
    );
  };

  it('are turned by a right angle: x becomes (x₂, −x₁)', () => {
    // Axis 1 is the old second dimension, axis 2 the old first one, backwards.
    expect(named(turn(model, Float64Array.of(0, -1, 1, 0)))).toEqual({
      'model.embed_tokens.weight': [4, -3, 6, -5],
      // (1, 2) times the norm's (2, 10) is (2, 20).
      'self_attn.q_proj.weight': [20, -2, 40, -6],
      'self_attn.k_proj.weight': [60, -10, 80, -14],
      'self_attn.v_proj.weight': [0, -2, 10, 0],
      // What was written to dimension 2 goes to axis 1: rows change places.
      'self_attn.o_proj.weight': [3, 4, -1, -2],
      'self_attn.q_proj.bias': [1, 2],
      'self_attn.k_proj.bias': [3, 4],
      'self_attn.v_proj.bias': [5, 6],
      'self_attn.o_proj.bias': [8, -7],
      'mlp.gate_proj.weight': [2000, -100],
      'mlp.up_proj.weight': [4000, -300],
      'mlp.down_proj.weight': [6, -5],
      'input_layernorm.weight': [1, 1],
      'post_attention_layernorm.weight': [1, 1],
      'model.norm.weight': [1, 1],
      'lm_head.weight': [1, 1, 2, 3],
    });
  });

  it('refuse axes of another size', () => {
    expect(() => turn(model, new Float64Array(9))).toThrow(
      '9 values are not the axes of 2 hidden dimensions',
    );
  });
});
