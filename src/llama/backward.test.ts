import { expect, test } from 'vitest';
import { createStorage, readFloats, writeElements } from '../gpu/buffers';
import type { KernelProfile } from '../gpu/device';
import { recordProgram, submitPrograms, type Recorder } from '../gpu/program';
import { groupByToken } from '../kernels/embedding';
import { expectClose, randomValues, testGpu } from '../kernels/testing';
import { recordBackward } from './backward';
import type { LlamaConfig } from './config';
import { recordForward, recordLoss } from './forward';
import { gateLayout } from './gates';
import { nextTokens, openGates, uploadModel, writeRopeTable } from './inference';
import { randomParameters, TINY } from './testing';
import { allocateTraining, planBytes, trainingPlan } from './workspace';

/** Rows enough that the products of a GPU split k, and that the partial sums take more than 32 blocks. */
const SHAPE = { batch: 20, context: 32 };
const CONFIG: LlamaConfig = { ...TINY, vocabSize: 300 };

async function gradientsBy(profile: KernelProfile) {
  const gpu = await testGpu(profile);
  const label = 'backward';
  const parameters = randomParameters(CONFIG);
  const model = uploadModel(gpu, label, { config: CONFIG, parameters });
  const at = allocateTraining(gpu, label, CONFIG, SHAPE);
  const gates = openGates(CONFIG).map((_, i) => 1 - (i % 7) / 20);
  const gradients = createStorage(gpu, label, model.layout.total);
  const gateGradients = createStorage(gpu, label, gateLayout(CONFIG).total);
  const rows = SHAPE.batch * SHAPE.context;
  const tokens = Uint32Array.from(randomValues(rows, 5, CONFIG.vocabSize / 2), (v) =>
    Math.floor(v + CONFIG.vocabSize / 2),
  );
  const { positions, starts } = groupByToken(tokens, CONFIG.vocabSize);
  writeRopeTable(gpu, at.rope, CONFIG, SHAPE.context);
  writeElements(gpu, at.gates, gates);
  writeElements(gpu, at.tokens, tokens);
  writeElements(gpu, at.targets, nextTokens(tokens, SHAPE.context));
  writeElements(gpu, at.positions, positions);
  writeElements(gpu, at.starts, starts);
  const sums: string[] = [];
  const program = await recordProgram(gpu, label, (recorder) => {
    const r: Recorder = {
      profile: recorder.profile,
      dispatch(d) {
        if (/(weight|input|head) gradient sums?$/.test(d.label)) sums.push(d.label);
        recorder.dispatch(d);
      },
    };
    recordForward(r, model, at, SHAPE);
    recordLoss(r, model, { ...at, normed: at.normed[2 * CONFIG.numHiddenLayers]! }, SHAPE, {
      normed: at.normedGradient,
      parameters: gradients,
      productScratch: at.productScratch.single,
    });
    recordBackward(r, model, gradients, at, SHAPE, gateGradients);
  });
  submitPrograms(gpu, [program]);
  const result = {
    sums,
    weights: await readFloats(gpu, gradients),
    gates: await readFloats(gpu, gateGradients),
  };
  for (const part of [program, at, model]) part.destroy();
  gpu.destroyBuffer(gradients.buffer);
  gpu.destroyBuffer(gateGradients.buffer);
  expect(gpu.uncapturedError()).toBeNull();
  return result;
}

test('a GPU’s kernels, with k split, and those for software adapters give the same gradients', async () => {
  const [gpu, software] = [await gradientsBy('gpu'), await gradientsBy('software')];
  // The four weight gradients of a layer together, the head's two products.
  expect(gpu.sums).toHaveLength(CONFIG.numHiddenLayers + 2);
  expect(software.sums).toEqual([]);
  for (const part of ['weights', 'gates'] as const) {
    const largest = software[part].reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(largest).toBeGreaterThan(1e-3);
    // Sums over 640 rows in f32 in another order, of terms that cancel.
    expectClose(gpu[part], software[part], { atol: 2e-5 * largest, rtol: 0 });
  }
});

test('scratch and partial sums stay small next to what a model needs', () => {
  const of = (config: LlamaConfig, name: string, rows: number) =>
    planBytes(trainingPlan(config, { batch: rows / 32, context: 32 }).filter((b) => b.name === name));
  const wide = { ...TINY, hiddenSize: 768, intermediateSize: 2048, numHiddenLayers: 12, vocabSize: 32000 };
  for (const rows of [32, 1024, 32768]) {
    for (const config of [TINY, CONFIG, wide]) {
      // Five products, each with fewer than 2 · 640 tiles of 1,024 sums.
      expect(of(config, 'product scratch', rows)).toBeLessThan(5 * 1280 * 4096);
      expect(of(config, 'partials', rows)).toBeLessThanOrEqual(2 ** 25);
    }
  }
});
