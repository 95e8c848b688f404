import { expect, test } from 'vitest';
import { createStorage, readFloats, uploadStorage } from '../gpu/buffers';
import { recordProgram, submitPrograms } from '../gpu/program';
import { distillationReference } from '../kernels/distillation.reference';
import { expectClose, randomValues, stepInputs, testGpu, uploadStep } from '../kernels/testing';
import { recordLoss } from './forward';
import { nextTokens, uploadModel } from './inference';
import { parameterLayout } from './parameters';
import { randomParameters, TINY } from './testing';
import { logitsRows } from './workspace';

/** 64 rows of this vocabulary fill the 64 MiB of logits that are held at once; the fifth window is a chunk by itself. */
const VOCABULARY = 2 ** 18;
const SHAPE = { batch: 5, context: 16 };
const ROWS = 80;

function headOf(hiddenSize: number) {
  const config = {
    ...TINY,
    vocabSize: VOCABULARY,
    hiddenSize,
    numHiddenLayers: 1,
    tieWordEmbeddings: true,
  };
  const parameters = randomParameters(config);
  const { offset, elements } = parameterLayout(config).head;
  const head = parameters.subarray(offset, offset + elements);
  const normed = randomValues(ROWS * hiddenSize, hiddenSize, 4);
  return { config, parameters, head, normed };
}

test('losses and divergences from a teacher, chunk by chunk of rows, without a gradient', async () => {
  const gpu = await testGpu();
  const [student, teacher] = [headOf(4), headOf(6)];
  const models = [student, teacher].map((model) => uploadModel(gpu, 'test', model));
  const normed = [student, teacher].map((m) => uploadStorage(gpu, 'test', Float32Array.from(m.normed)));
  const tokens = Uint32Array.from(randomValues(ROWS, 5), (v) => Math.floor(((v + 1) / 2) * VOCABULARY));
  const targets = nextTokens(tokens, SHAPE.context);
  const chunk = logitsRows(student.config, SHAPE);
  expect(chunk).toBe(64);
  const room = () => createStorage(gpu, 'test', chunk * VOCABULARY);
  const [losses, divergences] = [createStorage(gpu, 'test', ROWS), createStorage(gpu, 'test', ROWS)];
  const at = { normed: normed[0]!, targets: uploadStorage(gpu, 'test', targets), losses, logits: room() };
  const step = await uploadStep(stepInputs({ distillationTemperature: 2 }));
  const teaching = { model: models[1]!, normed: normed[1]!, logits: room(), divergences, step };
  const labels: string[] = [];
  const program = await recordProgram(gpu, 'test', (r) =>
    recordLoss(
      { profile: r.profile, dispatch: (d) => (labels.push(d.label), r.dispatch(d)) },
      models[0]!,
      at,
      SHAPE,
      undefined,
      teaching,
    ),
  );
  expect(labels).toEqual([...LABELS, ...LABELS]);
  submitPrograms(gpu, [program]);
  const measured = { losses: await readFloats(gpu, losses), divergences: await readFloats(gpu, divergences) };

  const logitsOf = ({ config, head, normed: x }: typeof student, row: number) =>
    Float64Array.from({ length: VOCABULARY }, (_, v) => {
      let sum = 0;
      for (let i = 0; i < config.hiddenSize; i++) {
        sum += x[row * config.hiddenSize + i]! * head[v * config.hiddenSize + i]!;
      }
      return sum;
    });
  const settings = { weight: 0, temperature: 2, scale: 1 };
  // Each chunk's first and last rows; the last ones of a window predict nothing.
  for (const row of [0, 62, 63, 64, 78, 79]) {
    const expected = distillationReference(
      logitsOf(student, row),
      logitsOf(teacher, row),
      [targets[row]!],
      VOCABULARY,
      settings,
    );
    // Losses near ln 2¹⁸ = 12, a logarithm of a sum of as many terms.
    expectClose([measured.losses[row]!], expected.losses, { atol: 1e-5, rtol: 0 });
    expectClose([measured.divergences[row]!], expected.divergences, { atol: 1e-5, rtol: 0 });
    const counts = (row + 1) % SHAPE.context !== 0;
    expect([measured.losses[row]! > 0, measured.divergences[row]! > 1e-3]).toEqual([counts, counts]);
  }
  for (const part of [program, ...models]) part.destroy();
  expect(gpu.uncapturedError()).toBeNull();
});

const LABELS = ['logits', 'teacher logits', 'distillation'];
