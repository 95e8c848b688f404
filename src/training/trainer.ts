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
import { adapterLayout, type LoraOptions } from '../llama/adapters';
import type { LlamaConfig } from '../llama/config';
import { recordForward, recordLoss, type Teacher } from '../llama/forward';
import { nextTokens, openGates, writeRopeTable } from '../llama/inference';
import type { ModelView } from '../llama/model';
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
import { initialAdapters } from './adapters';
import type { ExtensionBuffers, TrainerExtension } from './extension';

export interface TrainerOptions {
  /** Begins the names of its buffers and programs, which errors quote. */
  label: string;
  config: LlamaConfig;
  /**
   * Flat start values in the layout of `config`. A slice is copied on the GPU (its first elements, if longer); with
   * adapters it is used as it is, stays its owner's, and nothing is written to it.
   */
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
  /** Trained in the place of the weights, which are frozen; by default there are none. */
  adapters?: LoraOptions | null;
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
  /** The model in training, for programs that evaluate it: adapters included, nothing dropped. */
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
   * Everything that a later step depends on besides its inputs and what is frozen: `weights` or, with adapters,
   * `adapters` (flat in their layout), the extension's tensors, and of each Adam's `NAME.firstMoment` and `NAME.secondMoment`. A trainer of the same shape that is given all of it with
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

/**
 * Name, first element and length of every tensor that is trained; they follow each other without gaps. The first is
 * the weights, or the adapters in their place; its elements below `decayEnd` decay.
 */
function trainedTensors(config: LlamaConfig, extension: TrainedSizes, adapters: LoraOptions | null) {
  const { total, decayEnd } = parameterLayout(config);
  const length = adapters ? adapterLayout(config, adapters).total : total;
  const first = {
    name: adapters ? 'adapters' : 'weights',
    start: 0,
    length,
    // Both matrices of an adapter decay.
    decayEnd: adapters ? length : decayEnd,
  };
  let end = first.length;
  const others = (extension?.tensors ?? []).map(({ name, values }) => {
    const start = end;
    end += values.length;
    return { name, start, length: values.length };
  });
  return { first, others, end };
}

/** Weights that are not trained. */
function frozenPlan(config: LlamaConfig): BufferPlan {
  return [{ name: 'frozen weights', elements: parameterLayout(config).total }];
}

function optimiserPlan(
  config: LlamaConfig,
  shape: BatchShape,
  extension: TrainedSizes,
  adapters: LoraOptions | null,
): BufferPlan {
  const elements = alignElements(trainedTensors(config, extension, adapters).end);
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
 * forward pass works in, and not its weights, which are the caller's; with adapters, the frozen weights too, unless
 * they are given as a slice, which its owner holds.
 */
export function trainerBytes(
  config: LlamaConfig,
  shape: BatchShape,
  {
    extension = null,
    teacher = null,
    adapters = null,
  }: { extension?: TrainedSizes; teacher?: LlamaConfig | null; adapters?: LoraOptions | null } = {},
): number {
  return (
    planBytes(trainingPlan(config, shape, adapters)) +
    planBytes(optimiserPlan(config, shape, extension, adapters)) +
    (adapters ? planBytes(frozenPlan(config)) : 0) +
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
    const { label, config, shape, extension, adapters: lora = null } = options;
    const layout = parameterLayout(config);
    const { first, others, end } = trainedTensors(config, extension, lora);
    const at = own(allocateTraining(gpu, label, config, shape, lora));
    const optimiser = own(allocate(gpu, label, optimiserPlan(config, shape, extension, lora)));
    const step = wholeBuffer(gpu.createBuffer(`${label} step`, STEP_INPUT_WORDS * 4, UNIFORM_USAGE));
    own({ destroy: () => gpu.destroyBuffer(step.buffer) });
    const metricsRing = own(
      createReadRing(gpu, `${label} metrics`, STEP_METRICS_WORDS * 4, METRICS_IN_FLIGHT),
    );

    const trained = optimiser.slice('parameters');
    const gradients = optimiser.slice('gradients');
    /** The weights, trained or frozen: start values that are not on the GPU yet need a place there. */
    const placeWeights = (): Slice => {
      const { parameters: given } = options;
      if (lora && !(given instanceof Float32Array)) {
        if (given.size < 4 * layout.total) {
          throw new Error(`${label}: a slice of ${given.size / 4} values is not ${layout.total} weights`);
        }
        return sliceElements(given, 0, layout.total);
      }
      const place = lora ? own(allocate(gpu, label, frozenPlan(config))).slice('frozen weights') : trained;
      if (given instanceof Float32Array) writeElements(gpu, place, given);
      else copyElements(gpu, given, place, layout.total);
      return place;
    };
    const model: ModelView = {
      config,
      layout,
      parameters: placeWeights(),
      adapters: lora && { lora, layout: adapterLayout(config, lora), values: trained, step: null },
    };
    const inTraining: ModelView = {
      ...model,
      adapters: model.adapters && { ...model.adapters, step: model.adapters.lora.dropout > 0 ? step : null },
    };
    if (lora) writeElements(gpu, trained, initialAdapters(config, lora));
    writeElements(gpu, at.gates, openGates(config));
    writeRopeTable(gpu, at.rope, config, shape.context);
    extension?.tensors.forEach(({ values }, i) => writeElements(gpu, trained, values, others[i]!.start));
    const behindFirst = (slice: Slice) => sliceElements(slice, first.length, end - first.length);
    const teacherAt =
      options.teacher && prepareTeacher(gpu, `${label} teacher`, options.teacher, shape, at.tokens, { own });
    const teacher: Teacher | undefined = teacherAt ? { ...teacherAt, step } : undefined;
    const buffers: ExtensionBuffers | null = extension && {
      values: behindFirst(trained),
      gradient: behindFirst(gradients),
      gates: at.gates,
      step,
      slice: (name) => optimiser.slice(name),
    };

    const program = own(
      await recordProgram(gpu, label, (r) => {
        teacherAt?.record(r);
        if (buffers) extension?.recordBefore(r, buffers);
        recordForward(r, inTraining, at, shape);
        const gradient = {
          normed: at.normedGradient,
          parameters: lora ? null : gradients,
          productScratch: at.productScratch.single,
        };
        const normed = at.normed[2 * config.numHiddenLayers]!;
        recordLoss(r, inTraining, { ...at, normed }, shape, gradient, teacher);
        recordBackward(r, inTraining, gradients, at, shape, buffers?.gradient ?? null);
        if (buffers) extension?.recordAfter(r, buffers);
        const gradientState = optimiser.slice('gradient state');
        const scratch = optimiser.slice('norm scratch');
        globalNorm(r, { gradient: gradients, scratch, state: gradientState, step, label: 'gradient norm' });
        adamw(r, {
          parameters: trained,
          gradient: gradients,
          firstMoment: optimiser.slice('first moments'),
          secondMoment: optimiser.slice('second moments'),
          gradientState,
          squares: buffers ? extension?.squares?.(buffers) : undefined,
          groups: {
            decayEnd: first.decayEnd,
            weightEnd: first.length,
            gateEnd: others[1]?.start ?? first.length,
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

    const state: readonly TrainerTensor[] = [first, ...others].flatMap(({ name, start, length }) =>
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
      inspect: () => ({ parameters: trained, gradients, gates: at.gates }),
    };
  });
}
