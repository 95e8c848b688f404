import { readFloats, sliceElements, uploadStorage, writeElements, type Slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { recordProgram, submitPrograms, type Program } from '../gpu/program';
import { IGNORED_TARGET } from '../kernels/cross-entropy';
import { matmul } from '../kernels/matmul';
import { ropeTable } from '../kernels/rope';
import type { LlamaConfig } from './config';
import { recordForward, recordLoss, regionSlice, type ModelView } from './forward';
import { gateLayout } from './gates';
import { parameterLayout } from './parameters';
import { allocateInference, type BatchShape, type InferenceWorkspace } from './workspace';

/** Uploads flat parameters as a model that programs can be recorded for. */
export function uploadModel(
  gpu: Gpu,
  label: string,
  config: LlamaConfig,
  parameters: Float32Array,
): ModelView & { destroy(): void } {
  const layout = parameterLayout(config);
  const slice = uploadStorage(gpu, `${label} parameters`, parameters);
  return {
    config,
    layout,
    parameters: slice,
    software: gpu.adapter.software,
    destroy: () => gpu.destroyBuffer(slice.buffer),
  };
}

/** Rotation angles of a context, computed in f64 and uploaded. */
export function writeRopeTable(gpu: Gpu, slice: Slice, config: LlamaConfig, context: number): void {
  writeElements(
    gpu,
    slice,
    ropeTable(config.headDim, context, { theta: config.ropeTheta, scaling: config.ropeScaling }),
  );
}

/** Each row's next token inside its window; the last row of a window has none. */
export function nextTokens(tokens: Uint32Array, context: number): Uint32Array {
  const targets = new Uint32Array(tokens.length);
  for (let row = 0; row < tokens.length; row++) {
    targets[row] = row % context === context - 1 ? IGNORED_TARGET : tokens[row + 1]!;
  }
  return targets;
}

/** Every gate open: the model as it is. */
export function openGates(config: LlamaConfig): Float32Array {
  return new Float32Array(gateLayout(config).total).fill(1);
}

/** A model with its forward programs for one batch shape. Nothing here waits for the GPU but the reads. */
export interface Inference {
  config: LlamaConfig;
  shape: BatchShape;
  /** Sets the value of every gate (flat in the gate layout) for what follows. */
  setGates(gates: Float32Array): void;
  /** Cross-entropy in nats of each row [B·T] of `tokens`; 0 for a window's last row. */
  losses(tokens: Uint32Array): Promise<Float32Array>;
  /** Logits [count, V] of the rows from `first` on. */
  logits(tokens: Uint32Array, first: number, count: number): Promise<Float32Array>;
  destroy(): void;
}

export async function createInference(
  gpu: Gpu,
  label: string,
  model: ModelView,
  shape: BatchShape,
): Promise<Inference> {
  const { config, layout } = model;
  const rows = shape.batch * shape.context;
  const workspace: InferenceWorkspace = allocateInference(gpu, label, config, shape);
  writeRopeTable(gpu, workspace.rope, config, shape.context);
  writeElements(gpu, workspace.gates, openGates(config));
  const last = workspace.normed[2 * config.numHiddenLayers]!;

  const body = await recordProgram(gpu, `${label} forward`, (r) => recordForward(r, model, workspace, shape));
  const loss = await recordProgram(gpu, `${label} loss`, (r) =>
    recordLoss(r, model, { ...workspace, normed: last }, shape),
  );
  /** Head programs by number of rows; generation needs one row, a comparison of logits many. */
  const heads = new Map<number, Promise<{ program: Program; input: Slice }>>();
  const headProgram = (count: number) => {
    let head = heads.get(count);
    if (!head) {
      // The rows wanted are copied here first: a binding can't start at any row.
      const input = uploadStorage(gpu, `${label} head input`, new Float32Array(count * config.hiddenSize));
      head = recordProgram(gpu, `${label} head`, (r) =>
        matmul(r, {
          layout: 'nt',
          a: input,
          b: regionSlice(model.parameters, layout.head),
          c: sliceElements(workspace.logits, 0, count * config.vocabSize),
          m: count,
          n: config.vocabSize,
          k: config.hiddenSize,
          software: model.software,
          label: 'logits',
        }),
      ).then((program) => ({ program, input }));
      heads.set(count, head);
    }
    return head;
  };

  return {
    config,
    shape,
    setGates: (gates) => writeElements(gpu, workspace.gates, gates),
    async losses(tokens) {
      writeElements(gpu, workspace.tokens, tokens);
      writeElements(gpu, workspace.targets, nextTokens(tokens, shape.context));
      submitPrograms(gpu, [body, loss]);
      return readFloats(gpu, sliceElements(workspace.losses, 0, rows));
    },
    async logits(tokens, first, count) {
      const { program, input } = await headProgram(count);
      writeElements(gpu, workspace.tokens, tokens);
      submitPrograms(gpu, [body], (encoder) => {
        const width = config.hiddenSize * 4;
        encoder.copyBufferToBuffer(last.buffer, last.offset + first * width, input.buffer, 0, count * width);
      });
      submitPrograms(gpu, [program]);
      return readFloats(gpu, sliceElements(workspace.logits, 0, count * config.vocabSize));
    },
    destroy() {
      workspace.destroy();
      body.destroy();
      loss.destroy();
      for (const head of heads.values()) {
        void head.then(({ program, input }) => {
          program.destroy();
          gpu.destroyBuffer(input.buffer);
        });
      }
    },
  };
}
