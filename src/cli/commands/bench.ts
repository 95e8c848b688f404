import { createBenchTrainer, measureStep, type StepMeasurement } from '../../bench/step';
import { measureLimits, type MeasuredLimits } from '../../bench/limits';
import { limitsText, profileTable } from '../../bench/table';
import { defaultExperiment } from '../../experiment/schema';
import type { Gpu } from '../../gpu/device';
import { createInference } from '../../llama/inference';
import { inferencePlan, planBytes } from '../../llama/workspace';
import { learntGates } from '../../pruning/learnt-gates';
import { evaluationShape } from '../../run/memory';
import { trainerBytes } from '../../training/trainer';
import { openConfig } from '../files';
import { openCommandGpu } from '../gpu';
import { numberOption, UsageError, type Answer, type Command, type CommandInput } from '../command';

const WARM_UP = 3;
/** Steps timed with the default batch; the steps of the leak check use the smallest. */
const TIMED = { software: 5, hardware: 200 };
const PROFILED = { software: 3, hardware: 20 };
const DISPATCHES_A_LAYER = 30;
const DISPATCHES_BESIDES = 40;

export const bench: Command = {
  name: 'bench',
  argument: { name: 'MODEL', optional: true },
  summary: 'times, dispatches, submits, read-backs and bytes of a pruning step',
  options: {
    profile: { help: 'each kernel’s time and its share of what the adapter can do, measured first' },
    batch: { value: 'B', help: 'windows of a step (those of the default experiment)' },
    timed: { value: 'N', help: 'steps that are timed (5 on a software adapter, else 200)' },
    steps: { value: 'N', help: 'steps over which bytes must not grow (500)' },
    kernels: { value: 'gpu', help: 'the kernels for a GPU, also on a software adapter' },
  },
  run: benchModel,
};

/**
 * One pruning step of the default experiment: its times, counts and bytes, with `--profile` each kernel's time and
 * share of what the adapter can do; and that `--steps` steps hold no byte more than none.
 */
async function benchModel({ positionals, options }: CommandInput): Promise<Answer> {
  const steps = numberOption(options, 'steps', 500, [1, 100000]);
  const kernels = options['kernels'];
  if (kernels !== undefined && kernels !== 'gpu')
    throw new UsageError('--kernels takes gpu and nothing else.');
  const { name, config } = await openConfig(positionals[0] ?? 'nano');
  const opened = await openCommandGpu({ timestamps: true });
  const { adapter } = opened;
  const kind = adapter.software ? 'software' : 'hardware';
  const gpu: Gpu = kernels ? { ...opened, profile: 'gpu' } : opened;
  const experiment = defaultExperiment();
  const { prune, contextLength } = experiment;
  const batch = numberOption(options, 'batch', prune.batchSize, [1, 1024]);
  const shape = { batch, context: contextLength };

  // What a run holds while it learns masks, without a teacher: the trainer and the model under evaluation.
  const trainer = await createBenchTrainer(gpu, config, shape);
  const evaluation = await createInference(gpu, 'evaluation', trainer.model, evaluationShape(experiment));
  const inRun = gpu.heldBytes();
  const estimated =
    trainerBytes(config, shape, { extension: learntGates(config, prune) }) +
    planBytes(inferencePlan(config, evaluationShape(experiment)));
  const step = await measureStep(gpu, trainer, config, shape, {
    steps: numberOption(options, 'timed', TIMED[kind], [1, 100000]),
    warmUp: WARM_UP,
    profileReplays: options['profile'] ? PROFILED[kind] : 0,
    cpuMilliseconds,
  });
  evaluation.destroy();
  trainer.destroy();

  const leak = await leakCheck(gpu, config, steps);
  const limits = options['profile'] ? await measureLimits(opened) : null;
  gpu.throwOnError();
  const tokens = batch * contextLength;
  const json = {
    model: name,
    adapter,
    kernels: gpu.profile,
    batch: { windows: batch, contextLength },
    tokensPerSecond: (tokens * 1000) / step.millisecondsPerStep,
    ...step,
    limits,
    dispatchesAllowed: DISPATCHES_A_LAYER * config.numHiddenLayers + DISPATCHES_BESIDES,
    bytesHeld: { estimated, inRun, ...leak },
  };
  const text = describe(json, limits);
  if (leak.before !== leak.after) throw new Error(`${text}\nBytes held grew over ${steps} steps.`);
  if (step.perStep.dispatches > json.dispatchesAllowed) {
    throw new Error(`${text}\nMore dispatches than allowed.`);
  }
  return { json, text };
}

/** Bytes held before and after `steps` steps of the smallest batch. */
async function leakCheck(gpu: Gpu, config: Parameters<typeof createBenchTrainer>[1], steps: number) {
  const shape = { batch: 1, context: Math.min(16, defaultExperiment().contextLength) };
  const trainer = await createBenchTrainer(gpu, config, shape);
  const before = gpu.heldBytes();
  await measureStep(gpu, trainer, config, shape, { steps, warmUp: 0, profileReplays: 0 });
  const after = gpu.heldBytes();
  trainer.destroy();
  return { before, after, steps };
}

function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Described extends StepMeasurement {
  model: string;
  adapter: Gpu['adapter'];
  tokensPerSecond: number;
  dispatchesAllowed: number;
  bytesHeld: { estimated: number; inRun: number; before: number; after: number; steps: number };
}

function describe(json: Described, limits: MeasuredLimits | null): string {
  const { model, adapter, shape, intervals, perStep, bytesHeld, profile } = json;
  const { estimated, inRun, before, after, steps } = bytesHeld;
  const mebibytes = (perStep.bytesMoved / 2 ** 20).toFixed(0);
  const software = adapter.software ? ' (software adapter: not a GPU’s speed)' : '';
  return [
    `${model}, ${shape.batch} × ${shape.context} tokens a step, ${adapter.description || adapter.vendor}`,
    `${json.millisecondsPerStep.toFixed(2)} ms a step, ${Math.round(json.tokensPerSecond)} tokens a second${software}`,
    `between two results: median ${intervals.median.toFixed(2)} ms, p10 ${intervals.p10.toFixed(2)}, p90 ${intervals.p90.toFixed(2)}; processor ${(json.cpuMillisecondsPerStep ?? NaN).toFixed(2)} ms, of which encoding ${json.encodeMilliseconds.median.toFixed(2)}`,
    `a step: ${perStep.dispatches} dispatches (at most ${json.dispatchesAllowed}), ${perStep.submits} submit, ${perStep.readBacks} asynchronous read-back of metrics, none that blocks; ${mebibytes} MiB moved, ${(perStep.flops / 1e9).toFixed(2)} G operations`,
    `GPU bytes of learning masks: ${estimated} estimated, ${inRun} held (${((inRun / estimated - 1) * 100).toFixed(2)} %)`,
    `GPU bytes held before ${steps} steps of the smallest batch: ${before}; after: ${after}`,
    ...(limits ? [limitsText(limits)] : []),
    ...(profile && limits ? [profileTable(profile, limits, json.millisecondsPerStep)] : []),
  ].join('\n');
}
