import {
  alignElements,
  copyElements,
  readFloats,
  sliceElements,
  UNIFORM_USAGE,
  wholeBuffer,
  writeElements,
  type Slice,
} from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { makeOwned, type Owner } from '../gpu/ownership';
import { recordProgram, submitPrograms, type Program, type Recorder } from '../gpu/program';
import { createReadRing } from '../gpu/read-ring';
import { adamw } from '../kernels/adamw';
import { groupByToken } from '../kernels/embedding';
import { globalNorm, GLOBAL_NORM_SCRATCH_ELEMENTS, GRADIENT_STATE_ELEMENTS } from '../kernels/global-norm';
import { packStepInputs, STEP_INPUT_WORDS, type StepInputs } from '../kernels/step-inputs';
import {
  decodeStepMetrics,
  stepMetrics,
  STEP_METRICS_WORDS,
  type StepMetrics,
} from '../kernels/step-metrics';
import { recordBackward } from '../llama/backward';
import type { LlamaConfig } from '../llama/config';
import { recordForward, recordLoss, type ModelView, type Teacher } from '../llama/forward';
import { nextTokens, openGates, writeRopeTable } from '../llama/inference';
import { parameterLayout } from '../llama/parameters';
import {
  allocate,
  allocateTeacher,
  allocateTraining,
  planBytes,
  teacherPlan,
  trainingPlan,
  type BatchShape,
  type BufferPlan,
} from '../llama/workspace';
import type { ExtensionBuffers, TrainerExtension } from './extension';

export interface TrainerOptions {
  /** Begins the names of its buffers and programs, which errors quote. */
  label: string;
  config: LlamaConfig;
  /** Flat start values in the layout of `config`; a slice is copied on the GPU (its first elements, if longer). */
  parameters: Float32Array | Slice;
  shape: BatchShape;
  /** What is trained besides the weights; null trains the weights alone, with every gate open. */
  extension: TrainerExtension | null;
  /**
   * A model of the same vocabulary and any shape to learn from: the weights then descend on
   * w·τ²·KL(teacher ‖ model) + (1 − w)·cross-entropy, w and τ from StepInputs.distillationWeight and
   * distillationTemperature (shaders/distillation.wgsl). Its weights are only read and stay the caller's, who keeps
   * them until the trainer is destroyed. Absent or null: cross-entropy alone.
   */
  teacher?: ModelView | null;
}

/** A part of what a trainer keeps from step to step. `slice` may be read and copied, not bound. */
export interface TrainerTensor {
  name: string;
  slice: Slice;
}

/** Windows of one batch: [B·T] token ids, and the domain of each window. */
export interface TrainingBatch {
  tokens: Uint32Array;
  domains: Uint32Array;
}

/** What is trained, with its programs recorded: a step is a few small writes and one submit. */
export interface Trainer {
  /** The weights in training, for programs that evaluate them. */
  model: ModelView;
  /** Dispatches in a step. */
  dispatches: number;
  /** A step as recorded, for profiles: replayed by itself it repeats the last step's update. */
  program: Program;
  /**
   * Submits one optimiser step; resolves with its metrics when the GPU has done it. Callers keep a few
   * steps in flight and never wait for the newest.
   *
   * @throws RangeError on a token outside the vocabulary.
   */
  step(batch: TrainingBatch, inputs: Omit<StepInputs, 'ringSlot'>): Promise<StepMetrics>;
  /**
   * Everything that a later step depends on besides its inputs: `weights`, the extension's tensors, and of each
   * Adam's `NAME.firstMoment` and `NAME.secondMoment`. A trainer of the same shape that is given all of it with
   * `write` goes on with the same bits.
   */
  state(): readonly TrainerTensor[];
  /** A tensor of the state after the steps submitted so far; waits for the GPU. @throws on an unknown name. */
  read(name: string): Promise<Float32Array>;
  /** Replaces a tensor of the state for the steps submitted from here on. @throws on an unknown name or another length. */
  write(name: string, values: Float32Array): void;
  /**
   * Sets the value of every gate (flat in the gate layout) for the steps submitted from here on.
   *
   * @throws where an extension writes them
   */
  setGates(gates: Float32Array): void;
  /** Gradients, gates and the whole trainable buffer as they stand: for tests. */
  inspect(): { parameters: Slice; gradients: Slice; gates: Slice };
  destroy(): void;
}

/** Metrics of this many steps may be on their way back at once. */
const METRICS_IN_FLIGHT = 4;

type TrainedSizes = Pick<TrainerExtension, 'tensors' | 'buffers'> | null;

/** Name, first element and length of every tensor that is trained; they follow each other without gaps. */
function trainedTensors(config: LlamaConfig, extension: TrainedSizes) {
  const weights = { name: 'weights', start: 0, length: parameterLayout(config).total };
  let end = weights.length;
  const others = (extension?.tensors ?? []).map(({ name, values }) => {
    const start = end;
    end += values.length;
    return { name, start, length: values.length };
  });
  return { weights, others, end };
}

function optimiserPlan(config: LlamaConfig, shape: BatchShape, extension: TrainedSizes): BufferPlan {
  const elements = alignElements(trainedTensors(config, extension).end);
  return [
    { name: 'parameters', elements },
    { name: 'gradients', elements },
    { name: 'first moments', elements },
    { name: 'second moments', elements },
    { name: 'norm scratch', elements: GLOBAL_NORM_SCRATCH_ELEMENTS },
    { name: 'gradient state', elements: GRADIENT_STATE_ELEMENTS },
    { name: 'window domains', elements: shape.batch },
    { name: 'metrics', elements: METRICS_IN_FLIGHT * STEP_METRICS_WORDS },
    ...(extension?.buffers ?? []),
  ];
}

/**
 * Bytes that a trainer of this shape holds, its metrics on their way back included; of a teacher of this shape what its
 * forward pass works in, and not its weights, which are the caller's.
 */
export function trainerBytes(
  config: LlamaConfig,
  shape: BatchShape,
  extension: TrainedSizes,
  teacher: LlamaConfig | null = null,
): number {
  return (
    planBytes(trainingPlan(config, shape)) +
    planBytes(optimiserPlan(config, shape, extension)) +
    (teacher ? planBytes(teacherPlan(teacher, shape)) : 0) +
    METRICS_IN_FLIGHT * STEP_METRICS_WORDS * 4 +
    STEP_INPUT_WORDS * 4
  );
}

/** A teacher's forward pass over the tokens that its student reads, every gate open, and where it leaves its figures. */
function prepareTeacher(
  gpu: Gpu,
  label: string,
  model: ModelView,
  shape: BatchShape,
  tokens: Slice,
  { own }: Pick<Owner, 'own'>,
) {
  const { config } = model;
  const at = own(allocateTeacher(gpu, label, config, shape, tokens));
  writeElements(gpu, at.gates, openGates(config));
  writeRopeTable(gpu, at.rope, config, shape.context);
  return {
    model,
    normed: at.normed[2 * config.numHiddenLayers]!,
    logits: at.logits,
    divergences: at.divergences,
    record: (recorder: Recorder) => recordForward(recorder, model, at, shape),
  };
}

/** @throws when the device has no room, or the teacher another vocabulary. */
export function createTrainer(gpu: Gpu, options: TrainerOptions): Promise<Trainer> {
  return makeOwned(async ({ own }) => {
    const { label, config, shape, extension } = options;
    const layout = parameterLayout(config);
    const { weights, others, end } = trainedTensors(config, extension);
    const at = own(allocateTraining(gpu, label, config, shape));
    const optimiser = own(allocate(gpu, label, optimiserPlan(config, shape, extension)));
    const step = wholeBuffer(gpu.createBuffer(`${label} step`, STEP_INPUT_WORDS * 4, UNIFORM_USAGE));
    own({ destroy: () => gpu.destroyBuffer(step.buffer) });
    const metricsRing = own(
      createReadRing(gpu, `${label} metrics`, STEP_METRICS_WORDS * 4, METRICS_IN_FLIGHT),
    );

    const parameters = optimiser.slice('parameters');
    const gradients = optimiser.slice('gradients');
    const model: ModelView = { config, layout, parameters };
    if (options.parameters instanceof Float32Array) writeElements(gpu, parameters, options.parameters);
    else copyElements(gpu, options.parameters, parameters, layout.total);
    writeElements(gpu, at.gates, openGates(config));
    writeRopeTable(gpu, at.rope, config, shape.context);
    extension?.tensors.forEach(({ values }, i) => writeElements(gpu, parameters, values, others[i]!.start));
    const behindWeights = (slice: Slice) => sliceElements(slice, weights.length, end - weights.length);
    const teacherAt =
      options.teacher && prepareTeacher(gpu, `${label} teacher`, options.teacher, shape, at.tokens, { own });
    const teacher: Teacher | undefined = teacherAt ? { ...teacherAt, step } : undefined;
    const buffers: ExtensionBuffers | null = extension && {
      values: behindWeights(parameters),
      gradient: behindWeights(gradients),
      gates: at.gates,
      step,
      slice: (name) => optimiser.slice(name),
    };

    const program = own(
      await recordProgram(gpu, label, (r) => {
        teacherAt?.record(r);
        if (buffers) extension?.recordBefore(r, buffers);
        recordForward(r, model, at, shape);
        const gradient = {
          normed: at.normedGradient,
          parameters: gradients,
          productScratch: at.productScratch.single,
        };
        const normed = at.normed[2 * config.numHiddenLayers]!;
        recordLoss(r, model, { ...at, normed }, shape, gradient, teacher);
        recordBackward(r, model, gradients, at, shape, buffers?.gradient ?? null);
        if (buffers) extension?.recordAfter(r, buffers);
        const gradientState = optimiser.slice('gradient state');
        const scratch = optimiser.slice('norm scratch');
        globalNorm(r, { gradient: gradients, scratch, state: gradientState, step, label: 'gradient norm' });
        adamw(r, {
          parameters,
          gradient: gradients,
          firstMoment: optimiser.slice('first moments'),
          secondMoment: optimiser.slice('second moments'),
          gradientState,
          groups: {
            decayEnd: layout.decayEnd,
            weightEnd: weights.length,
            gateEnd: others[1]?.start ?? weights.length,
            elements: end,
          },
          step,
          label: 'adamw',
        });
        stepMetrics(r, {
          losses: at.losses,
          ...(teacher && { divergences: teacher.divergences }),
          windowDomains: optimiser.slice('window domains'),
          windows: shape.batch,
          windowLength: shape.context,
          predictionsPerWindow: shape.context - 1,
          gradientState,
          ...(extension && buffers && { constraint: extension.metrics(buffers) }),
          ring: optimiser.slice('metrics'),
          step,
          label: 'metrics',
        });
      }),
    );

    const state: readonly TrainerTensor[] = [weights, ...others].flatMap(({ name, start, length }) =>
      [
        ['', 'parameters'],
        ['.firstMoment', 'first moments'],
        ['.secondMoment', 'second moments'],
      ].map(([suffix, buffer]) => ({
        name: `${name}${suffix}`,
        slice: sliceElements(optimiser.slice(buffer!), start, length),
      })),
    );
    const stateSlice = (name: string) => {
      const found = state.find((tensor) => tensor.name === name);
      if (found) return found.slice;
      throw new Error(`${label} has no tensor ${name}, only ${state.map((t) => t.name).join(', ')}`);
    };

    let submitted = 0;
    return {
      model,
      dispatches: program.dispatches.length,
      program,
      async step(batch: TrainingBatch, inputs: Omit<StepInputs, 'ringSlot'>) {
        // Nothing is awaited before the submit: the inputs written here belong to this step and no other.
        const { positions, starts } = groupByToken(batch.tokens, config.vocabSize);
        const ringSlot = submitted++ % METRICS_IN_FLIGHT;
        writeElements(gpu, at.tokens, batch.tokens);
        writeElements(gpu, at.targets, nextTokens(batch.tokens, shape.context));
        writeElements(gpu, at.positions, positions);
        writeElements(gpu, at.starts, starts);
        writeElements(gpu, optimiser.slice('window domains'), batch.domains);
        writeElements(gpu, step, packStepInputs({ ...inputs, ringSlot }));
        const slot = sliceElements(
          optimiser.slice('metrics'),
          ringSlot * STEP_METRICS_WORDS,
          STEP_METRICS_WORDS,
        );
        const read = metricsRing.take();
        submitPrograms(gpu, [program], (encoder) => read.copy(encoder, slot));
        return decodeStepMetrics(new Float32Array(await read.bytes()));
      },
      state: () => state,
      read: async (name: string) => readFloats(gpu, stateSlice(name)),
      write(name: string, values: Float32Array) {
        const slice = stateSlice(name);
        if (values.byteLength !== slice.size) {
          throw new Error(`${label}: ${name} has ${slice.size / 4} values, not ${values.length}`);
        }
        writeElements(gpu, slice, values);
      },
      setGates(gates: Float32Array) {
        if (extension) throw new Error(`${label}: its gates are written by what is trained with the weights`);
        writeElements(gpu, at.gates, gates);
      },
      inspect: () => ({ parameters, gradients, gates: at.gates }),
    };
  });
}
