import { allFinite } from '../../fields/finite';
import { createStorage, readFloats, sliceElements, type Slice } from '../../gpu/buffers';
import type { Gpu } from '../../gpu/device';
import { makeOwned, type Owner } from '../../gpu/ownership';
import type { Recorder } from '../../gpu/program';
import { matmul } from '../../kernels/matmul';
import { uploadModel } from '../../llama/inference';
import type { FlatModel } from '../../llama/parameters';
import { createProbe } from '../../llama/probe';
import type { BatchShape, TrainingWorkspace } from '../../llama/workspace';
import { symmetricEigen } from './eigen';
import { foldNorms, turn } from './turn';

/**
 * What makes an axis of the residual stream important: `principal`, how much of the normalised residual lies along
 * it; `sensitive`, that and how much of the loss's gradient does, in equal parts.
 */
export type AxesKind = 'principal' | 'sensitive';

/** Called after each batch with the share done; may wait (pause) or throw (cancel). */
export type Between = (done: number, total: number) => Promise<void> | void;

export interface ResidualMoments {
  /** C_x [d, d]: Σ xᵀx over rows x of all 2L + 1 norms' outputs, that is of the normalised residual. */
  residual: Float64Array;
  /** C_g [d, d]: the same sum of ∂(mean loss of the batch)/∂x; null when it was not asked for. */
  gradient: Float64Array | null;
}

/**
 * Second moments about 0 of what a model's norms put out, pooled over norms and tokens as sums (docs/method.md,
 * section 13). Float32 products are added up in float32: the errors are some 10⁻⁷ of the trace, and axes whose shares
 * are smaller are in no order. While it works it holds what a training step of `shape` holds without its optimiser.
 *
 * @param model whose norms have the weights 1 (`foldNorms`): otherwise the moments are those of other quantities
 * @param batches token ids, each [B·T]
 * @param options `gradients` costs the backward pass, about two thirds of the time
 * @throws NotFiniteError when the model overflows; what `between` throws
 */
export async function residualMoments(
  gpu: Gpu,
  model: FlatModel,
  batches: readonly Uint32Array[],
  shape: BatchShape,
  { gradients, between = () => undefined }: { gradients: boolean; between?: Between },
): Promise<ResidualMoments> {
  const session = await makeOwned((owner) => startMoments(gpu, model, shape, gradients, owner));
  try {
    for (const [i, tokens] of batches.entries()) {
      await session.add(tokens);
      await between(i + 1, batches.length);
    }
    return await session.read();
  } finally {
    session.destroy();
  }
}

/** A probe that adds each batch's products to accumulators, which are 0 when they are made. */
async function startMoments(
  gpu: Gpu,
  model: FlatModel,
  shape: BatchShape,
  gradients: boolean,
  { own }: Owner,
) {
  const d = model.config.hiddenSize;
  const rows = shape.batch * shape.context;
  const view = own(uploadModel(gpu, 'folded model', model));
  const accumulator = (name: string) => {
    const slice = createStorage(gpu, name, d * d);
    own({ destroy: () => gpu.destroyBuffer(slice.buffer) });
    return slice;
  };
  const residual = accumulator('residual moments');
  const gradient = gradients ? accumulator('gradient moments') : null;
  const add = (recorder: Recorder, at: TrainingWorkspace, x: Slice, sum: Slice, label: string) =>
    matmul(recorder, {
      layout: 'tn',
      a: x,
      b: x,
      c: sum,
      m: d,
      n: d,
      k: rows,
      accumulate: true,
      scratch: at.productScratch.single,
      label,
    });
  const probe = own(
    await createProbe(gpu, 'residual moments', view, shape, {
      gradients,
      afterForward(recorder, at) {
        at.normed.forEach((x, site) => add(recorder, at, x, residual, `moments of norm ${site}`));
      },
      ...(gradient && {
        atNormGradient(recorder, at, site) {
          add(recorder, at, at.normedGradient, gradient, `gradient moments of norm ${site}`);
        },
      }),
    }),
  );
  const read = async (sum: Slice, what: string) =>
    Float64Array.from(allFinite(await readFloats(gpu, sum), `A second moment of ${what}`));
  return {
    /** Waits until the batch is done, so that progress is what was computed and a cancel leaves nothing queued. */
    async add(tokens: Uint32Array) {
      probe.run(tokens);
      await readFloats(gpu, sliceElements(residual, 0, 1));
    },
    read: async (): Promise<ResidualMoments> => ({
      residual: await read(residual, 'the normalised residual'),
      gradient: gradient && (await read(gradient, 'the gradient at the norms')),
    }),
  };
}

const trace = (matrix: Float64Array, d: number) => {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += matrix[j * d + j]!;
  return sum;
};

/**
 * Axes of the residual stream from its moments, the most important first: the eigenvectors of C_x / tr C_x
 * (`principal`), plus C_g / tr C_g (`sensitive`, where there are gradients).
 *
 * @param d hidden size
 * @returns `axes` [d, d] row-major, column j is axis j; `shares` [d], descending, of the trace: their sum is 1
 * @throws NotFiniteError when a trace is 0, that is without tokens or without any gradient
 */
export function axesOf(
  { residual, gradient }: ResidualMoments,
  d: number,
): { axes: Float64Array; shares: Float64Array } {
  const parts = gradient ? [residual, gradient] : [residual];
  const traces = parts.map((part) => trace(part, d));
  const sum = residual.map((_, i) => parts.reduce((total, part, p) => total + part[i]! / traces[p]!, 0));
  const { values, vectors } = symmetricEigen(sum, d);
  // A moment has no negative eigenvalue: what is below 0 is rounding.
  const shares = values.map((value) => Math.max(0, value));
  const total = shares.reduce((a, b) => a + b, 0);
  return { axes: vectors, shares: shares.map((value) => value / total) };
}

/**
 * The model in axes that are measured on it: the same function, its hidden dimensions the most important first, so
 * that cutting the last ones costs least (docs/method.md, section 13).
 *
 * @param batches token ids, each [B·T]; B·T is `shape`'s
 * @returns the model, untied and with norms of 1, and each axis' share of the trace [d], descending
 * @throws NotFiniteError when the model overflows; what `between` throws
 */
export async function turnedModel(
  gpu: Gpu,
  model: FlatModel,
  kind: AxesKind,
  batches: readonly Uint32Array[],
  shape: BatchShape,
  between?: Between,
): Promise<{ model: FlatModel; shares: Float64Array }> {
  const gradients = kind === 'sensitive';
  const options = { gradients, ...(between && { between }) };
  const moments = await residualMoments(gpu, foldNorms(model), batches, shape, options);
  const { axes, shares } = axesOf(moments, model.config.hiddenSize);
  return { model: turn(model, axes), shares };
}
