import type { Gpu } from '../gpu/device';
import type { LlamaConfig } from '../llama/config';
import type { StepInputs } from '../kernels/step-inputs';
import { parameterLayout } from '../llama/parameters';
import { learntGates } from '../pruning/learnt-gates';
import { createTrainer } from '../training/trainer';
import { defaultExperiment } from '../experiment/schema';
import { ADAM } from './train-steps';

/** Compiles the shaders and fills the caches: not timed. */
const WARM_UP = 1;
const TIMED = 3;

/** Inputs of a pruning step of the default experiment at full rates, all four gate sets at one target sparsity. */
export function timedStepInputs(step: number, targetSparsity: number): Omit<StepInputs, 'ringSlot'> {
  const { prune, seed, clipNorm } = defaultExperiment();
  return {
    step,
    seed,
    learningRate: prune.learningRate,
    gateLearningRate: prune.gateLearningRate,
    multiplierLearningRate: prune.multiplierLearningRate,
    weightDecay: prune.weightDecay,
    ...ADAM,
    clipNorm,
    temperature: prune.temperature,
    activeSets: 0b1111,
    targetSparsity: [targetSparsity, targetSparsity, targetSparsity, targetSparsity],
  };
}

/**
 * Milliseconds of a pruning step of the default experiment on a model of this shape: the median of three, each
 * waited for. Nothing of a step's time depends on what the weights are, so they are zeros and none are loaded.
 *
 * @throws one sentence when the device has no room for the model.
 */
export async function millisecondsPerStep(gpu: Gpu, config: LlamaConfig): Promise<number> {
  const { prune, contextLength } = defaultExperiment();
  const shape = { batch: prune.batchSize, context: contextLength };
  const trainer = await createTrainer(gpu, {
    label: 'speed',
    config,
    parameters: new Float32Array(parameterLayout(config).total),
    shape,
    extension: learntGates(config, prune),
  });
  const batch = {
    tokens: Uint32Array.from({ length: shape.batch * shape.context }, (_, i) => i % config.vocabSize),
    domains: new Uint32Array(shape.batch),
  };
  try {
    const times: number[] = [];
    for (let step = 0; step < WARM_UP + TIMED; step++) {
      const started = performance.now();
      await trainer.step(batch, timedStepInputs(step, 0));
      if (step >= WARM_UP) times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b)[Math.floor(TIMED / 2)]!;
  } finally {
    trainer.destroy();
  }
}
