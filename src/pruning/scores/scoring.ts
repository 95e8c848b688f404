import { allFinite, finite } from '../../fields/finite';
import type { Gpu } from '../../gpu/device';
import type { ModelView } from '../../llama/model';
import { gateLayout } from '../../llama/gates';
import { createInference, openGates, type Inference } from '../../llama/inference';
import type { FlatModel } from '../../llama/parameters';
import { predictionsIn, type CalibrationBatch } from './calibration';
import type { Scoring } from './criterion';
import { activationStatistics, weightGradients } from './statistics';

export interface ScoringInput {
  /** The model that is scored: its weights here, and the same on the GPU. */
  model: FlatModel;
  view: ModelView;
  batches: readonly CalibrationBatch[];
  /** Of scores that are drawn. */
  seed: number;
  /** Called after each batch with what was done; may wait (pause) or throw (cancel). */
  between(what: string): Promise<void> | void;
}

/** Makes what criteria look at, and gives the GPU's part back whatever happens. */
export async function withScoring<T>(
  gpu: Gpu,
  { model, view, batches, seed, between }: ScoringInput,
  use: (scoring: Scoring) => Promise<T>,
): Promise<T> {
  const { config } = model;
  const inferences = new Map<string, Promise<Inference>>();
  const inferenceOf = (shape: CalibrationBatch['shape']) => {
    const key = `${shape.batch}·${shape.context}`;
    const inference = inferences.get(key) ?? createInference(gpu, 'source model', view, shape);
    inferences.set(key, inference);
    return inference;
  };
  const once = <T>(make: () => Promise<T>) => {
    let made: Promise<T> | null = null;
    return () => (made ??= make());
  };

  const lossWithout = async (layers: readonly number[]) => {
    const gates = openGates(config);
    const { layer } = gateLayout(config);
    for (const l of layers) gates[layer.offset + l] = 0;
    const without = layers.map((l) => l + 1).join(', ');
    let nats = 0;
    let predictions = 0;
    for (const batch of batches) {
      const inference = await inferenceOf(batch.shape);
      inference.setGates(gates);
      // A window's last row predicts nothing and has the loss 0.
      for (const loss of await inference.losses(batch.tokens)) nats += loss;
      predictions += predictionsIn(batch);
      await between(`Measuring the loss without layer ${without}`);
    }
    return finite(nats / predictions, `The loss without layer ${without}`);
  };
  try {
    return await use({
      ...model,
      seed,
      activations: once(() =>
        activationStatistics(gpu, view, batches, () => between('Measuring activations')),
      ),
      gradients: once(async () =>
        allFinite(
          await weightGradients(gpu, view, batches, () => between('Measuring gradients')),
          'A gradient of the calibration set',
        ),
      ),
      lossWithout,
    });
  } finally {
    for (const inference of await Promise.allSettled(inferences.values())) {
      if (inference.status === 'fulfilled') inference.value.destroy();
    }
  }
}
