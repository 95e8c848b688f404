import { createStorage, readFloats } from '../../gpu/buffers';
import type { Gpu } from '../../gpu/device';
import { columnMoments, MOMENTS } from '../../kernels/column-moments';
import { rowCosine } from '../../kernels/row-cosine';
import type { LlamaConfig } from '../../llama/config';
import type { ModelView } from '../../llama/model';
import { createProbe, type Probe } from '../../llama/probe';
import type { BatchShape } from '../../llama/workspace';
import { predictionsIn, type CalibrationBatch } from './calibration';

/** Called after each batch of a pass; may wait (pause) or throw (cancel). */
type Between = () => Promise<void> | void;

/** What the columns of one activation matrix are over all calibration tokens. */
export interface ColumnStatistics {
  mean: Float64Array;
  /** E[x²]. */
  meanSquare: Float64Array;
  /** √ Σ over sequences of (mean |x| over the sequence)²: Minitron's aggregate. */
  sequenceNorm: Float64Array;
}

/** What the source's activations are on the calibration sequences. */
export interface ActivationStatistics {
  /** [2L + 1]: each norm's output, which q, k, v, or gate and up, or the head read. */
  normed: ColumnStatistics[];
  /** [L]: the input of the attention output projection, H·dh columns. */
  attended: ColumnStatistics[];
  /** [L]: the input of the down projection, I columns. */
  activated: ColumnStatistics[];
  /** [L]: mean over tokens of cos(block input, block output). */
  cosine: number[];
}

/** Runs the calibration batches, one probe for each shape among them. */
async function overBatches(
  batches: readonly CalibrationBatch[],
  make: (
    shape: BatchShape,
  ) => Promise<{ probe: Probe; destroy(): void; take(batch: CalibrationBatch): Promise<void> }>,
  between: Between,
): Promise<void> {
  let current: Awaited<ReturnType<typeof make>> | null = null;
  let shape: BatchShape | null = null;
  try {
    for (const batch of batches) {
      if (!current || shape?.batch !== batch.shape.batch || shape.context !== batch.shape.context) {
        current?.destroy();
        current = await make((shape = batch.shape));
      }
      current.probe.run(batch.tokens);
      await current.take(batch);
      await between();
    }
  } finally {
    current?.destroy();
  }
}

/** The activation matrices that are looked at, in the order of their moments in the destination. */
function activationColumns({
  numHiddenLayers: L,
  hiddenSize,
  numAttentionHeads,
  headDim,
  intermediateSize,
}: LlamaConfig) {
  return {
    normed: Array<number>(2 * L + 1).fill(hiddenSize),
    attended: Array<number>(L).fill(numAttentionHeads * headDim),
    activated: Array<number>(L).fill(intermediateSize),
  };
}

/** One forward pass over the calibration batches; moments by column come back, never activations. */
export async function activationStatistics(
  gpu: Gpu,
  model: ModelView,
  batches: readonly CalibrationBatch[],
  between: Between,
): Promise<ActivationStatistics> {
  const { config } = model;
  const { numHiddenLayers: L, hiddenSize } = config;
  const columns = activationColumns(config);
  const names = ['normed', 'attended', 'activated'] as const;
  const sums = Object.fromEntries(
    names.map((name) => [
      name,
      columns[name].map((count) => ({
        sum: new Float64Array(count),
        squares: new Float64Array(count),
        sequences: new Float64Array(count),
      })),
    ]),
  ) as Record<
    (typeof names)[number],
    { sum: Float64Array; squares: Float64Array; sequences: Float64Array }[]
  >;
  const cosine = Array<number>(L).fill(0);
  const width = names.reduce((all, name) => all + columns[name].reduce((a, b) => a + b, 0), 0);
  let tokens = 0;

  await overBatches(
    batches,
    async (shape) => {
      const rows = shape.batch * shape.context;
      const moments = shape.batch * MOMENTS * width;
      const destination = createStorage(gpu, 'activation statistics', moments + L * rows);
      const giveBack = () => gpu.destroyBuffer(destination.buffer);
      const probe = await createProbe(gpu, 'calibration', model, shape, {
        gradients: false,
        afterForward(r, at) {
          let offset = 0;
          for (const name of names) {
            columns[name].forEach((count, i) => {
              columnMoments(r, {
                values: at[name][i]!,
                windows: shape.batch,
                window: shape.context,
                columns: count,
                destination,
                destinationOffset: offset,
                label: `${name} ${i} moments`,
              });
              offset += shape.batch * MOMENTS * count;
            });
          }
          for (let l = 0; l < L; l++) {
            rowCosine(r, {
              a: at.residual[2 * l]!,
              b: at.residual[2 * l + 2]!,
              rows,
              columns: hiddenSize,
              destination,
              destinationOffset: moments + l * rows,
              label: `layer ${l} cosine`,
            });
          }
        },
      }).catch((error: unknown) => {
        giveBack();
        throw error;
      });
      return {
        probe,
        destroy() {
          probe.destroy();
          giveBack();
        },
        async take() {
          const values = await readFloats(gpu, destination);
          tokens += rows;
          let at = 0;
          for (const name of names) {
            for (const { sum, squares, sequences } of sums[name]) {
              const count = sum.length;
              for (let w = 0; w < shape.batch; w++, at += MOMENTS * count) {
                for (let j = 0; j < count; j++) {
                  sum[j]! += values[at + j]!;
                  squares[j]! += values[at + count + j]!;
                  sequences[j]! += (values[at + 2 * count + j]! / shape.context) ** 2;
                }
              }
            }
          }
          for (let l = 0; l < L; l++) for (let i = 0; i < rows; i++) cosine[l]! += values[at++]!;
        },
      };
    },
    between,
  );
  const statistics = (name: (typeof names)[number]): ColumnStatistics[] =>
    sums[name].map(({ sum, squares, sequences }) => ({
      mean: sum.map((x) => x / tokens),
      meanSquare: squares.map((x) => x / tokens),
      sequenceNorm: sequences.map(Math.sqrt),
    }));
  return {
    normed: statistics('normed'),
    attended: statistics('attended'),
    activated: statistics('activated'),
    cosine: cosine.map((sum) => sum / tokens),
  };
}

/** ∂(mean loss over all calibration predictions)/∂parameters, in their layout: signs survive between batches. */
export async function weightGradients(
  gpu: Gpu,
  model: ModelView,
  batches: readonly CalibrationBatch[],
  between: Between,
): Promise<Float64Array> {
  const total = batches.reduce((sum, batch) => sum + predictionsIn(batch), 0);
  const gradients = new Float64Array(model.layout.total);
  await overBatches(
    batches,
    async (shape) => {
      const probe = await createProbe(gpu, 'calibration', model, shape, { gradients: true });
      return {
        probe,
        destroy: () => probe.destroy(),
        async take(batch) {
          const share = predictionsIn(batch) / total;
          const values = await readFloats(gpu, probe.gradients!);
          for (let i = 0; i < values.length; i++) gradients[i]! += share * values[i]!;
        },
      };
    },
    between,
  );
  return gradients;
}
