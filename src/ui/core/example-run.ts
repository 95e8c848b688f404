import type { EvaluationEvent, GatesEvent, StartedEvent, StepEvent } from '../../run/events';
import type { Report } from '../../session/protocol';
import type { KeptRun } from '../../storage/kept-run';
import { defaultExperiment } from '../../experiment/schema';
import type { LlamaConfig } from '../../llama/config';

/** Small events for the tests of this folder, with numbers that can be told apart. */
export const exampleConfig: LlamaConfig = {
  vocabSize: 32,
  hiddenSize: 8,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  headDim: 2,
  intermediateSize: 12,
  maxPositionEmbeddings: 16,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { type: 'default' },
  tieWordEmbeddings: false,
  attentionBias: false,
  mlpBias: false,
  bosTokenId: null,
  eosTokenId: 0,
};

export function exampleStarted(seed = 17): StartedEvent {
  const experiment = defaultExperiment();
  return {
    type: 'started',
    experiment: {
      ...experiment,
      seed,
      prune: { ...experiment.prune, steps: 30 },
      retrain: { ...experiment.retrain, steps: 20 },
    },
    source: { name: 'nano', config: exampleConfig, parameters: 1000 },
    domains: ['books', 'code'],
    adapter: { vendor: 'v', architecture: 'a', description: 'd', software: false },
    version: '0.1.0',
    referenceLoss: [3, 2],
    mixture: [0.75, 0.25],
  };
}

export function exampleStep(step: number, domainLoss: (number | null)[] = [4, 3]): StepEvent {
  return {
    type: 'step',
    stage: step <= 30 ? 'prune' : 'retrain',
    step,
    tokens: step * 100,
    elapsedMs: step * 50,
    loss: 3.5,
    domainLoss,
    gradientNorm: 1,
    learningRate: 1e-3,
    sparsity: { head: { expected: step / 100, target: step / 90, lambda1: -step, lambda2: 200 } },
  };
}

export function exampleEvaluation(step: number, loss: number[], mixture: number[]): EvaluationEvent {
  return {
    type: 'evaluation',
    stage: step <= 30 ? 'prune' : 'retrain',
    step,
    tokens: step * 100,
    elapsedMs: step * 50,
    loss,
    mixture,
  };
}

/** A kept run's row in the list, as the engine tells it. */
export function exampleKept(id: string, change: Partial<KeptRun> = {}): KeptRun {
  return {
    id,
    name: `run ${id}`,
    note: '',
    colour: null,
    createdAt: 1000,
    updatedAt: 1000,
    version: '0.1.0',
    status: 'running',
    experiment: exampleStarted().experiment,
    interventions: [],
    adapter: 'v a d',
    seed: 17,
    source: { name: 'nano', hash: null, parameters: 1000 },
    step: 20,
    totalSteps: 50,
    meanLoss: 3,
    bytes: 5000,
    inUse: false,
    ...change,
  };
}

/** The list with these runs. */
export const exampleRuns = (...runs: KeptRun[]): Extract<Report, { type: 'runs' }> => ({
  type: 'runs',
  list: { runs, damaged: [] },
  used: 5000 * runs.length,
  notice: null,
});

/** hidden | heads of two layers | units of two layers | layers */
export const exampleGates: GatesEvent = {
  type: 'gates',
  step: 20,
  values: Uint8Array.from([
    ...[255, 0, 255, 0, 255, 0, 255, 0],
    ...[255, 0, 128, 255],
    ...Array<number>(12).fill(255),
    ...Array<number>(12).fill(51),
    ...[255, 0],
  ]),
};
