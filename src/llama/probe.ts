import { createStorage, writeElements, type Slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { makeOwned } from '../gpu/ownership';
import { recordProgram, submitPrograms, type Recorder } from '../gpu/program';
import { groupByToken } from '../kernels/embedding';
import { recordBackward } from './backward';
import { recordForward, recordLoss } from './forward';
import type { ModelView } from './model';
import { nextTokens, openGates, writeRopeTable } from './inference';
import { allocateTraining, type BatchShape, type TrainingWorkspace } from './workspace';

/** What is recorded into a probe's pass besides the pass itself. */
export interface ProbeParts {
  /** After the forward pass: every layer's activations stand in `at`. */
  afterForward?(recorder: Recorder, at: TrainingWorkspace): void;
  /** `at.normedGradient` holds ∂loss/∂(output of the norm of `site`): called from the last site to the first. */
  atNormGradient?(recorder: Recorder, at: TrainingWorkspace, site: number): void;
}

/** A model's forward pass, and its backward pass where gradients are asked for, over batches of one shape. */
export interface Probe {
  at: TrainingWorkspace;
  /** ∂(mean loss of the batch)/∂parameters in their layout, after a `run`; null without gradients. */
  gradients: Slice | null;
  /** Submits one batch of [B·T] token ids; what was recorded has its results when a read comes back. */
  run(tokens: Uint32Array): void;
  destroy(): void;
}

/**
 * A model looked at while it computes, every gate open: what scores and calibrations are made from. Nothing is
 * trained and the model's weights are only read.
 */
export function createProbe(
  gpu: Gpu,
  label: string,
  model: ModelView,
  shape: BatchShape,
  { gradients: wantsGradients, ...parts }: { gradients: boolean } & ProbeParts,
): Promise<Probe> {
  return makeOwned(async ({ own }) => {
    const { config, layout } = model;
    const at = own(allocateTraining(gpu, label, config, shape));
    const gradients = wantsGradients ? createStorage(gpu, `${label} gradients`, layout.total) : null;
    if (gradients) own({ destroy: () => gpu.destroyBuffer(gradients.buffer) });
    writeElements(gpu, at.gates, openGates(config));
    writeRopeTable(gpu, at.rope, config, shape.context);
    const program = own(
      await recordProgram(gpu, label, (r) => {
        recordForward(r, model, at, shape);
        parts.afterForward?.(r, at);
        if (!gradients) return;
        recordLoss(r, model, { ...at, normed: at.normed[2 * config.numHiddenLayers]! }, shape, {
          normed: at.normedGradient,
          parameters: gradients,
          productScratch: at.productScratch.single,
        });
        recordBackward(r, model, gradients, at, shape, null, (site) => parts.atNormGradient?.(r, at, site));
      }),
    );
    return {
      at,
      gradients,
      run(tokens: Uint32Array) {
        const { positions, starts } = groupByToken(tokens, config.vocabSize);
        writeElements(gpu, at.tokens, tokens);
        writeElements(gpu, at.targets, nextTokens(tokens, shape.context));
        writeElements(gpu, at.positions, positions);
        writeElements(gpu, at.starts, starts);
        submitPrograms(gpu, [program]);
      },
    };
  });
}
