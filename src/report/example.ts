import { defaultExperiment } from '../experiment/schema';
import type { ArmReport, EvaluationReport } from './report';

/** For tests: a small report with numbers that can be told apart. */

const estimate = (value: number) => ({
  value,
  standardError: 0.01,
  low: value - 0.02,
  high: value + 0.02,
});

const arm = (name: ArmReport['arm'], n: number, changes: Partial<ArmReport> = {}): ArmReport => ({
  arm: name,
  model: '',
  shape: { numHiddenLayers: 4, hiddenSize: 48, numAttentionHeads: 3, intermediateSize: 128 },
  parameters: { all: 307_632, blocks: 110_976 },
  flopsPerToken: 4.43e5,
  spent: { tokens: 1_228_800 * n, training: 1e12 * n, evaluation: 2e11 * n },
  memory: { weights: 2 ** 20, running: 3 * 2 ** 20 },
  speed: { milliseconds: 1.5 * n, tokensPerSecond: 12_345.6 / n },
  loss: [Math.log(20 * n), Math.log(30 * n)],
  tasks: [
    { accuracy: estimate(0.5 / n), perplexity: null },
    { accuracy: estimate(0.25 / n), perplexity: estimate(100 * n) },
  ],
  ...changes,
});

export const exampleReport: EvaluationReport = {
  format: 'shear-lab report',
  formatVersion: 1,
  version: '0.1.0',
  adapter: { vendor: 'mesa', architecture: '', description: 'llvmpipe', software: true },
  source: 'nano',
  sourceSha256: 'ab'.repeat(32),
  experiment: defaultExperiment(),
  scratch: {
    steps: 600,
    batchSize: 16,
    learningRate: 8e-3,
    learningRateWarmup: 0.1,
    learningRateFloor: 0.1,
    weightDecay: 0.1,
  },
  closestMember: 'nano',
  domains: [
    { name: 'books', title: 'Books', predictions: 1000 },
    { name: 'code', title: 'Code | snippets', predictions: 2000 },
  ],
  tasks: [
    { name: 'pairs', title: 'Minimal pairs', metric: 'acc', chance: 0.5, items: 400 },
    { name: 'last-word', title: 'Last word', metric: 'acc', chance: 0.01, items: 300 },
  ],
  arms: [
    arm('source', 1, {
      model: 'nano',
      spent: { tokens: 24_227_840, training: 7e13, evaluation: 0 },
    }),
    arm('retrained', 2),
    arm('scratch', 4, { spent: null }),
  ],
  overScratch: [
    { value: 0.125, standardError: 0.01, low: 0.1, high: 0.15 },
    { value: 0.0625, standardError: 0.05, low: -0.04, high: 0.16 },
  ],
};
