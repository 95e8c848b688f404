import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLlamaConfig } from '../formats/hugging-face';
import { openGpu, type Gpu } from '../gpu/device';
import { recordProgram } from '../gpu/program';
import { createGpuTimer } from '../gpu/timing';
import { nodeGpu } from '../gpu/node';
import { matmul } from '../kernels/matmul';
import { TINY } from '../llama/testing';
import { productShapes, sweepCases } from './cases';
import { countsTable, countStep } from './counts';
import { countWork, shareOfLimit, totalWork } from './profile';
import { spreadOf } from './spread';
import { createBenchTrainer, measureStep } from './step';
import { createOperands, sweep } from './sweep';
import { markdownTable } from './table';

const SHAPE = { batch: 2, context: 8 };

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu(await nodeGpu(), undefined, { timestamps: true });
});
afterAll(() => gpu.device.destroy());

describe('a step', () => {
  test('counts the operations of its products, one by one, and says the work of every dispatch', async () => {
    const trainer = await createBenchTrainer(gpu, TINY, SHAPE);
    const step = await measureStep(gpu, trainer, TINY, SHAPE, { steps: 2, warmUp: 1, profileReplays: 1 });
    const { dispatches } = trainer.program;
    for (const { label, work } of dispatches) expect(work?.bytes, label).toBeGreaterThan(0);
    expect(step.perStep.dispatches).toBe(dispatches.length);
    expect(step.perStep.submits).toBe(1);
    expect(step.perStep.bytesMoved).toBe(dispatches.reduce((sum, { work }) => sum + work!.bytes, 0));

    // Six operations a weight of a matrix and a row: forward, and both gradients.
    const {
      hiddenSize: d,
      intermediateSize: I,
      numAttentionHeads: H,
      headDim,
      vocabSize,
      numHiddenLayers: L,
    } = TINY;
    const matrices = L * (3 * H * headDim * d + d * H * headDim + 3 * d * I) + vocabSize * d;
    const products = countWork(trainer.program).filter(({ kernel }) => kernel.startsWith('matmul'));
    expect(totalWork(products).flops).toBe(6 * matrices * SHAPE.batch * SHAPE.context);
    trainer.destroy();
  });

  test('has a profile whose rows name every dispatch', async () => {
    const trainer = await createBenchTrainer(gpu, TINY, SHAPE);
    const step = await measureStep(gpu, trainer, TINY, SHAPE, { steps: 1, warmUp: 0, profileReplays: 2 });
    const { rows, exact, passMilliseconds } = step.profile!;
    expect(totalWork(rows).dispatches).toBe(trainer.program.dispatches.length);
    expect(rows.find(({ label }) => label === 'qkv')?.dispatches).toBe(TINY.numHiddenLayers);
    expect(passMilliseconds).toBeGreaterThan(0);
    if (exact) expect(totalWork(rows).nanoseconds).toBeGreaterThan(0);
    trainer.destroy();
  });
});

describe('a timer', () => {
  test('takes longer for more', async () => {
    const operands = createOperands(gpu);
    const size = { m: 256, n: 256, k: 256 };
    const program = await recordProgram(gpu, 'test', (recorder) =>
      matmul(recorder, {
        layout: 'nt',
        a: operands.get('a', 65536),
        b: operands.get('b', 65536),
        c: operands.get('c', 65536),
        ...size,
        variant: { tile: 32, slices: 1 },
        label: 'product',
      }),
    );
    const timer = createGpuTimer(gpu);
    await timer.span(program);
    const once = Math.min(await timer.span(program), await timer.span(program), await timer.span(program));
    expect(await timer.span(program, 8)).toBeGreaterThan(2 * once);
    timer.destroy();
    program.destroy();
    operands.destroy();
  });
});

describe('a sweep', () => {
  const model = { name: 'tiny', config: { ...TINY, hiddenSize: 24, vocabSize: 64 }, shape: SHAPE };

  test('tries every product of a step, each shape once', () => {
    const shapes = productShapes(model);
    expect(shapes).toHaveLength(15);
    const operands = createOperands(gpu);
    const cases = sweepCases([model, model], { square: 64, profile: 'gpu' }, operands);
    const products = cases.filter(({ operator }) => operator === 'matmul');
    expect(new Set(products.map(({ shape }) => shape)).size).toBe(products.length);
    expect(products.flatMap(({ usedBy }) => usedBy)).toHaveLength(3 + 2 * 15);
    for (const { candidates, chosen } of cases) expect(candidates.map(({ name }) => name)).toContain(chosen);
  });

  test('times every candidate, and stops when its time is up', async () => {
    const operands = createOperands(gpu);
    const cases = sweepCases([model], { square: null, profile: 'gpu' }, operands);
    const last = cases.filter(({ operator }) => operator !== 'matmul').concat(cases.slice(0, 1));
    const { results, complete } = await sweep(gpu, last, Infinity);
    expect(complete).toBe(true);
    for (const [i, { nanoseconds, best, chosenOverBest, bytes }] of results.entries()) {
      expect(Object.keys(nanoseconds)).toEqual(last[i]!.candidates.map(({ name }) => name));
      expect(nanoseconds[best]).toBe(Math.min(...Object.values(nanoseconds)));
      expect(chosenOverBest).toBeGreaterThanOrEqual(1);
      expect(bytes).toBeGreaterThan(0);
    }
    expect(await sweep(gpu, last, 0)).toEqual({ results: [], complete: false });
    operands.destroy();
  });
});

test('a spread lies between its neighbours', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, p10: 1.3, p90: 3.7, least: 1, count: 4 });
  expect(() => spreadOf([])).toThrow(RangeError);
});

test('the share of the limit is the larger of operations and bytes', () => {
  const limits = {
    flopsPerSecond: 1e12,
    streamBytesPerSecond: 1e11,
    copyBytesPerSecond: 1e11,
    cachedBytesPerSecond: 1e11,
    nanosecondsPerDispatch: 1000,
    exact: true,
  };
  expect(shareOfLimit({ flops: 5e8, bytes: 1e6, nanoseconds: 1e6 }, limits)).toBeCloseTo(0.5);
  expect(shareOfLimit({ flops: 1e8, bytes: 8e7, nanoseconds: 1e6 }, limits)).toBeCloseTo(0.8);
});

test('a table pads its columns and sets numbers to the right', () => {
  expect(
    markdownTable(
      ['name', 'ms'],
      [
        ['a', '1.5'],
        ['long name', '10'],
      ],
    ),
  ).toBe(
    ['| name      |  ms |', '| --------- | --: |', '| a         | 1.5 |', '| long name |  10 |'].join('\n'),
  );
});

test('docs/performance.md has the counts of the models as they are recorded', async () => {
  const counts = [];
  for (const name of ['nano', 'small', 'base']) {
    const path = `public/models/${name}/config.json`;
    const config = parseLlamaConfig(JSON.parse(readFileSync(path, 'utf8')));
    counts.push(await countStep(gpu, { name, config }, { batch: 8, context: 128 }));
  }
  const page = readFileSync('docs/performance.md', 'utf8');
  const written = /<!-- counts: .*? -->\n\n(.*?)\n\n<!-- end of counts -->/s.exec(page)?.[1];
  expect(written).toBe(countsTable(counts));
});
