import { sweepCases } from '../../bench/cases';
import { countsTable, countStep } from '../../bench/counts';
import { measureLimits } from '../../bench/limits';
import { createOperands, sweep } from '../../bench/sweep';
import { limitsText, markdownTable } from '../../bench/table';
import { openConfig } from '../files';
import { nodeGpu } from '../../gpu/node';
import { openCommandGpu } from '../gpu';
import {
  numberOption,
  textOption,
  UsageError,
  type Answer,
  type Command,
  type CommandInput,
} from '../command';

export const measure: Command = {
  name: 'measure',
  argument: { name: 'limits|counts|sweep' },
  summary: 'what the adapter reaches at most; what a step does, by kernel; every variant of a kernel',
  options: {
    seconds: { value: 'N', help: 'time for the sweep (60)' },
    models: { value: 'NAME,NAME', help: 'models whose shapes the sweep tries (all bundled ones)' },
  },
  run: measureAdapter,
};

/** What the adapter can do, or how fast each variant of a kernel is at the shapes of the bundled models. */
async function measureAdapter({ positionals, options }: CommandInput): Promise<Answer> {
  if (positionals[0] === 'limits') return limits();
  if (positionals[0] === 'sweep') {
    return sweepModels(numberOption(options, 'seconds', 60, [1, 3600]), textOption(options, 'models') ?? '');
  }
  if (positionals[0] === 'counts') return counts();
  throw new UsageError('measure takes limits, counts or sweep.');
}

async function limits(): Promise<Answer> {
  const gpu = await openCommandGpu({ timestamps: true });
  const { device, adapter } = gpu;
  const offered = await (await nodeGpu()).requestAdapter({ powerPreference: 'high-performance' });
  const measured = await measureLimits(gpu);
  return {
    json: { adapter, offered: offered && offeredBy(offered), opened: offeredBy(device), measured },
    text: limitsText(measured),
  };
}

async function counts(): Promise<Answer> {
  const gpu = await openCommandGpu();
  const shape = { batch: 8, context: 128 };
  const all = [];
  for (const name of ALL) all.push(await countStep(gpu, await openConfig(name), shape));
  const json = all.map(({ name, operators }) => ({ name, shape, operators: [...operators.values()] }));
  return { json, text: countsTable(all) };
}

/** Features, limits and subgroups of the adapter or of the device that was opened on it. */
function offeredBy(of: {
  features: GPUSupportedFeatures;
  limits: GPUSupportedLimits;
  info?: GPUAdapterInfo;
}) {
  const limits: Record<string, number> = {};
  for (const name in of.limits) {
    const value = of.limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') limits[name] = value;
  }
  return {
    features: [...of.features].sort(),
    subgroups: [of.info?.subgroupMinSize, of.info?.subgroupMaxSize],
    limits,
  };
}

const ALL = ['nano', 'small', 'base'];
const BATCHES = [16, 8];
const SQUARE = 2048;

async function sweepModels(seconds: number, wanted: string): Promise<Answer> {
  const deadline = performance.now() + seconds * 1000;
  const gpu = await openCommandGpu({ timestamps: true });
  const { software } = gpu.adapter;
  // A software adapter only shows that the sweep works: one model, one batch, no large product.
  const names = wanted ? wanted.split(',') : software ? ALL.slice(0, 1) : ALL;
  const batches = software ? BATCHES.slice(-1) : BATCHES;
  const configs = await Promise.all(names.map(openConfig));
  const models = batches.flatMap((batch) =>
    configs.map(({ name, config }) => ({
      name: `${name} ${batch}×128`,
      config,
      shape: { batch, context: 128 },
    })),
  );
  const operands = createOperands(gpu);
  const cases = sweepCases(models, { square: software ? null : SQUARE, profile: gpu.profile }, operands);
  const { results, complete } = await sweep(gpu, cases, deadline);
  operands.destroy();
  gpu.throwOnError();
  const text = markdownTable(
    ['operator', 'shape', 'chosen', 'best', 'chosen ÷ best', 'µs', 'GFLOP/s', 'GB/s'],
    results.map((r) => {
      const time = r.nanoseconds[r.best]!;
      return [
        r.operator,
        r.shape,
        r.chosen,
        r.best,
        r.chosenOverBest.toFixed(2),
        (time / 1e3).toFixed(1),
        (r.flops / time).toFixed(1),
        (r.bytes / time).toFixed(1),
      ];
    }),
  );
  return { json: { adapter: gpu.adapter, complete, cases: cases.length, results }, text };
}
