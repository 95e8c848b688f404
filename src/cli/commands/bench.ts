import { startMixture } from '../../data/mixture';
import { nextBatch, startSampler } from '../../data/sampler';
import { estimateRunMemory, evaluationShape } from '../../run/memory';
import { defaultExperiment } from '../../experiment/schema';
import { ADAM } from '../../run/train-stage';
import type { Gpu } from '../../gpu/device';
import { createInference } from '../../llama/inference';
import { learntGates } from '../../pruning/learnt-gates';
import { createTrainer, type Trainer } from '../../training/trainer';
import { openCorpusFor, openModel } from '../files';
import { openCommandGpu } from '../gpu';
import { numberOption, type Answer, type CommandInput } from '../command';

const WARM_UP = 3;
/** Steps timed with the default batch; the steps of the leak check use the smallest. */
const TIMED = { software: 5, hardware: 100 };
const DISPATCHES_A_LAYER = 30;
const DISPATCHES_BESIDES = 40;

/** Milliseconds, tokens and counts of one pruning step, and that 500 steps hold no byte more than none. */
export async function bench({ positionals, options }: CommandInput): Promise<Answer> {
  const steps = numberOption(options, 'steps', 500, [1, 100000]);
  const model = await openModel(positionals[0] ?? 'nano');
  const { source } = model;
  const corpus = await openCorpusFor(model, 100_000);
  const gpu = await openCommandGpu();
  const experiment = defaultExperiment();
  const { prune, contextLength } = experiment;
  const mixture = startMixture(
    'constant',
    [],
    corpus.domains.map((d) => d.weight),
  );

  const trainerOf = (batch: number, context: number) =>
    createTrainer(gpu, {
      label: 'bench',
      config: source.config,
      parameters: source.parameters,
      shape: { batch, context },
      extension: learntGates(source.config, prune),
    });
  const run = async (trainer: Trainer, count: number, batch: number, context: number) => {
    let sampler = startSampler(experiment.seed, context, corpus.domains.length);
    const inFlight: Promise<unknown>[] = [];
    for (let step = 0; step < count; step++) {
      const drawn = nextBatch(sampler, corpus, mixture, batch);
      sampler = drawn.state;
      inFlight.push(
        trainer.step(drawn.batch, {
          step,
          seed: experiment.seed,
          learningRate: prune.learningRate,
          gateLearningRate: prune.gateLearningRate,
          multiplierLearningRate: prune.multiplierLearningRate,
          weightDecay: 0,
          ...ADAM,
          clipNorm: 1,
          temperature: prune.temperature,
          activeSets: 0b1111,
          targetSparsity: [0.25, 0.25, 0.25, 0.25],
        }),
      );
      if (inFlight.length > 2) await inFlight.shift();
    }
    await Promise.all(inFlight);
  };

  // What a run holds: the trainer and the model under evaluation.
  const trainer = await trainerOf(prune.batchSize, contextLength);
  const evaluation = await createInference(gpu, 'evaluation', trainer.model, evaluationShape(experiment));
  const heldInRun = gpu.heldBytes();
  const estimated = estimateRunMemory(source.config, experiment).pruning;
  await run(trainer, WARM_UP, prune.batchSize, contextLength);
  const timed = gpu.adapter.software ? TIMED.software : TIMED.hardware;
  const counted = counters(gpu);
  const started = performance.now();
  await run(trainer, timed, prune.batchSize, contextLength);
  const milliseconds = (performance.now() - started) / timed;
  const perStep = counters(gpu, counted, timed);
  evaluation.destroy();
  trainer.destroy();

  const small = { batch: 1, context: Math.min(16, contextLength) };
  const leakTrainer = await trainerOf(small.batch, small.context);
  const before = gpu.heldBytes();
  await run(leakTrainer, steps, small.batch, small.context);
  const after = gpu.heldBytes();
  leakTrainer.destroy();
  gpu.throwOnError();

  const tokens = prune.batchSize * contextLength;
  const allowed = DISPATCHES_A_LAYER * source.config.numHiddenLayers + DISPATCHES_BESIDES;
  const json = {
    model: source.name,
    adapter: gpu.adapter,
    batch: { windows: prune.batchSize, contextLength },
    millisecondsPerStep: milliseconds,
    tokensPerSecond: (tokens * 1000) / milliseconds,
    perStep,
    dispatchesAllowed: allowed,
    bytesHeld: { estimated, inRun: heldInRun, before, after, steps },
  };
  const text = [
    `${source.name}, ${prune.batchSize} × ${contextLength} tokens a step, ${gpu.adapter.description || gpu.adapter.vendor}`,
    `${milliseconds.toFixed(1)} ms a step, ${Math.round(json.tokensPerSecond)} tokens a second${gpu.adapter.software ? ' (software adapter: not a GPU’s speed)' : ''}`,
    `a step: ${perStep.dispatches} dispatches (at most ${allowed}), ${perStep.submits} submit, ${perStep.readBacks} asynchronous read-back of metrics, none that blocks`,
    `GPU bytes of a run: ${estimated} estimated, ${heldInRun} held (${((heldInRun / estimated - 1) * 100).toFixed(2)} %)`,
    `GPU bytes held before ${steps} steps of ${small.batch} × ${small.context} tokens: ${before}; after: ${after}`,
  ].join('\n');
  if (before !== after) throw new Error(`${text}\nBytes held grew over ${steps} steps.`);
  if (perStep.dispatches > allowed) throw new Error(`${text}\nMore dispatches than allowed.`);
  return { json, text };
}

function counters(gpu: Gpu, since: Gpu['counters'] = { submits: 0, dispatches: 0, readBacks: 0 }, steps = 1) {
  const { submits, dispatches, readBacks } = gpu.counters;
  return {
    submits: (submits - since.submits) / steps,
    dispatches: (dispatches - since.dispatches) / steps,
    readBacks: (readBacks - since.readBacks) / steps,
  };
}
