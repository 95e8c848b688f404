import {
  createStorage,
  readFloats,
  sliceElements,
  uploadStorage,
  writeElements,
  type Slice,
} from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { makeOwned, type Destroyable, type Owner } from '../gpu/ownership';
import { recordProgram, submitPrograms, type Program, type Recorder } from '../gpu/program';
import { IGNORED_TARGET } from '../kernels/cross-entropy';
import { matmul } from '../kernels/matmul';
import { ropeTable } from '../kernels/rope';
import type { LlamaConfig } from './config';
import { recordForward, recordLoss } from './forward';
import { gateLayout } from './gates';
import { regionSlice, type ModelView } from './model';
import { parameterLayout, type FlatModel } from './parameters';
import { allocateInference, logitsRows, type BatchShape } from './workspace';

/** Uploads flat parameters as a model that programs can be recorded for. */
export function uploadModel(
  gpu: Gpu,
  label: string,
  { config, parameters }: FlatModel,
): ModelView & { destroy(): void } {
  const slice = uploadStorage(gpu, `${label} parameters`, parameters);
  return {
    config,
    layout: parameterLayout(config),
    parameters: slice,
    adapters: null,
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

/** The forward program of a batch shape and the buffers it works in, every gate open; `owner` gives them back. */
export async function prepareForward(
  gpu: Gpu,
  label: string,
  model: ModelView,
  shape: BatchShape,
  { own }: Owner,
) {
  const { config, adapters } = model;
  const workspace = own(allocateInference(gpu, label, config, shape, adapters?.lora));
  writeRopeTable(gpu, workspace.rope, config, shape.context);
  writeElements(gpu, workspace.gates, openGates(config));
  const program = own(
    await recordProgram(gpu, `${label} forward`, (r) => recordForward(r, model, workspace, shape)),
  );
  /** [M, d]: the final norm's output, which the head reads. */
  const normed = workspace.normed[2 * config.numHiddenLayers]!;
  return { program, workspace, normed };
}

/** A model with its forward programs for one batch shape. Nothing here waits for the GPU but the reads. */
export interface Inference {
  /** Names the model in sentences: "the source model". */
  label: string;
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

export function createInference(
  gpu: Gpu,
  label: string,
  model: ModelView,
  shape: BatchShape,
): Promise<Inference> {
  return makeOwned(async (owner) => {
    const { own } = owner;
    const { config, layout } = model;
    const rows = shape.batch * shape.context;
    const { program: body, workspace, normed: last } = await prepareForward(gpu, label, model, shape, owner);
    const record = async (part: string, build: (recorder: Recorder) => void) =>
      own(await recordProgram(gpu, `${label} ${part}`, build));

    const loss = await record('loss', (r) => recordLoss(r, model, { ...workspace, normed: last }, shape));
    /** Head programs by number of rows; generation needs one row, a comparison of logits many. */
    const heads = new Map<number, Promise<{ program: Program; input: Slice }>>();
    const makeHead = async (count: number) => {
      // The rows wanted are copied here first: a binding can't start at any row.
      const input = createStorage(gpu, `${label} head input`, count * config.hiddenSize);
      own({ destroy: () => gpu.destroyBuffer(input.buffer) });
      const program = await record('head', (r) =>
        matmul(r, {
          layout: 'nt',
          a: input,
          b: regionSlice(model.parameters, layout.head),
          c: sliceElements(workspace.logits, 0, count * config.vocabSize),
          m: count,
          n: config.vocabSize,
          k: config.hiddenSize,
          label: 'logits',
        }),
      );
      return { program, input };
    };
    const headOf = (count: number) => {
      const head = heads.get(count) ?? makeHead(count);
      heads.set(count, head);
      // What was refused once is made again the next time.
      head.catch(() => heads.delete(count));
      return head;
    };

    return {
      label,
      config,
      shape,
      setGates: (gates: Float32Array) => writeElements(gpu, workspace.gates, gates),
      losses(tokens: Uint32Array) {
        writeElements(gpu, workspace.tokens, tokens);
        writeElements(gpu, workspace.targets, nextTokens(tokens, shape.context));
        submitPrograms(gpu, [body, loss]);
        return readFloats(gpu, sliceElements(workspace.losses, 0, rows));
      },
      async logits(tokens: Uint32Array, first: number, count: number) {
        if (count > logitsRows(config, shape)) throw new Error(`${count} rows of logits do not fit at once`);
        const { program, input } = await headOf(count);
        const width = config.hiddenSize * 4;
        writeElements(gpu, workspace.tokens, tokens);
        submitPrograms(gpu, [body], (encoder) =>
          encoder.copyBufferToBuffer(
            last.buffer,
            last.offset + first * width,
            input.buffer,
            0,
            count * width,
          ),
        );
        submitPrograms(gpu, [program]);
        return readFloats(gpu, sliceElements(workspace.logits, 0, count * config.vocabSize));
      },
    };
  });
}

/** Uploads a model, makes what computes with it, runs `use` with that, and destroys both whatever happens. */
export async function withUploaded<Made extends Destroyable, T>(
  gpu: Gpu,
  label: string,
  model: FlatModel,
  make: (view: ModelView) => Promise<Made>,
  use: (made: Made) => Promise<T>,
): Promise<T> {
  const view = uploadModel(gpu, label, model);
  try {
    const made = await make(view);
    try {
      return await use(made);
    } finally {
      made.destroy();
    }
  } finally {
    view.destroy();
  }
}

/** `withUploaded` with the model's inference. */
export function withModel<T>(
  gpu: Gpu,
  label: string,
  model: FlatModel,
  shape: BatchShape,
  use: (inference: Inference) => Promise<T>,
): Promise<T> {
  return withUploaded(gpu, label, model, (view) => createInference(gpu, label, view, shape), use);
}
