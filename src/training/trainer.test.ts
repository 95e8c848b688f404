import { describe, expect, it } from 'vitest';
import { randomValues, testGpu } from '../kernels/testing';
import type { LlamaConfig } from '../llama/config';
import { parameterLayout } from '../llama/parameters';
import { createTrainer } from './trainer';

const config: LlamaConfig = {
  vocabSize: 61,
  hiddenSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  numKeyValueHeads: 3,
  headDim: 8,
  intermediateSize: 40,
  maxPositionEmbeddings: 32,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { type: 'default' },
  tieWordEmbeddings: false,
  attentionBias: false,
  bosTokenId: 0,
  eosTokenId: 0,
};

const inputs = {
  seed: 7,
  learningRate: 1e-2,
  gateLearningRate: 0,
  multiplierLearningRate: 0,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  clipNorm: 1,
  temperature: 2 / 3,
  activeSets: 0,
  targetSparsity: [0, 0, 0, 0] as const,
};

/** Small random weights, norms at one. */
function randomParameters(): Float32Array {
  const layout = parameterLayout(config);
  const flat = Float32Array.from(randomValues(layout.total, 3, 0.2));
  flat.fill(1, layout.norms.offset, layout.norms.offset + layout.norms.elements);
  return flat;
}

describe('trainer', () => {
  it('overfits one batch: the whole step learns', async () => {
    const gpu = await testGpu();
    const shape = { batch: 4, context: 16 };
    const trainer = await createTrainer(gpu, {
      config,
      parameters: randomParameters(),
      shape,
      gates: null,
    });
    const tokens = Uint32Array.from(randomValues(64, 5), (v) => Math.floor((v + 1) * 30));
    const batch = { tokens, domains: new Uint32Array([0, 1, 1, 2]) };
    const losses: number[] = [];
    for (let s = 0; s < 60; s++) losses.push((await trainer.step(batch, { ...inputs, step: s })).meanLoss);
    trainer.destroy();
    expect(gpu.uncapturedError()).toBeNull();
    // A uniform guess costs ln 61 = 4.1 nats; sixty random tokens are soon known by heart.
    expect(losses[0]!).toBeGreaterThan(3.5);
    expect(losses.at(-1)!).toBeLessThan(0.1);
  });
});
