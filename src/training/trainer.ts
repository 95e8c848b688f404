import {
  alignElements,
  readFloats,
  sliceElements,
  UNIFORM_USAGE,
  wholeBuffer,
  writeElements,
  type Slice,
} from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { makeOwned } from '../gpu/ownership';
import { recordProgram, submitPrograms, type Program } from '../gpu/program';
import { createReadRing } from '../gpu/read-ring';
import { adamw } from '../kernels/adamw';
import { constraint, CONSTRAINT_STATE_ELEMENTS, MULTIPLIER_COUNT } from '../kernels/constraint';
import { groupByToken } from '../kernels/embedding';
import { gateRowCount } from '../kernels/gate-layout';
import { globalNorm, GLOBAL_NORM_SCRATCH_ELEMENTS, GRADIENT_STATE_ELEMENTS } from '../kernels/global-norm';
import { sampleGates } from '../kernels/hard-concrete';
import { clampLogAlpha } from '../kernels/hard-concrete-distribution';
import { GATE_SETS, packStepInputs, STEP_INPUT_WORDS, type StepInputs } from '../kernels/step-inputs';
import {
  decodeStepMetrics,
  stepMetrics,
  STEP_METRICS_WORDS,
  type StepMetrics,
} from '../kernels/step-metrics';
import { recordBackward } from '../llama/backward';
import type { LlamaConfig } from '../llama/config';
import { recordForward, recordLoss, type ModelView } from '../llama/forward';
import { gateLayout } from '../llama/gates';
import { nextTokens, openGates, writeRopeTable } from '../llama/inference';
import { parameterLayout } from '../llama/parameters';
import {
  allocate,
  allocateTraining,
  planBytes,
  trainingPlan,
  type BatchShape,
  type BufferPlan,
} from '../llama/workspace';

export interface TrainerOptions {
  config: LlamaConfig;
  /** Flat start values in the layout of `config`. */
  parameters: Float32Array;
  shape: BatchShape;
  /** Start values of log α and of λ₂ (λ₁ starts at 0); null trains the weights alone. */
  gates: { logAlpha: number; quadraticMultiplier: number } | null;
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
  /** log α of every gate, clamped, after the steps submitted so far. @throws without gates. */
  readLogAlpha(): Promise<Float32Array>;
  /** Flat weights; waits for the GPU. */
  readParameters(): Promise<Float32Array>;
  /** Gradients, gates and the whole trainable buffer as they stand: for tests. */
  inspect(): { parameters: Slice; gradients: Slice; gates: Slice };
  destroy(): void;
}

/** Where log α and the multipliers stand behind the weights. */
function tailPlan(config: LlamaConfig, withGates: boolean) {
  const weights = parameterLayout(config).total;
  const gates = withGates ? gateLayout(config).total : 0;
  const elements = weights + (withGates ? gates + MULTIPLIER_COUNT : 0);
  return { weights, gates, elements: alignElements(elements) };
}

/** Metrics of this many steps may be on their way back at once. */
const METRICS_IN_FLIGHT = 4;

function optimiserPlan(config: LlamaConfig, shape: BatchShape, withGates: boolean): BufferPlan {
  const { elements } = tailPlan(config, withGates);
  return [
    { name: 'parameters', elements },
    { name: 'gradients', elements },
    { name: 'first moments', elements },
    { name: 'second moments', elements },
    { name: 'norm scratch', elements: GLOBAL_NORM_SCRATCH_ELEMENTS },
    { name: 'gradient state', elements: GRADIENT_STATE_ELEMENTS },
    { name: 'constraint state', elements: CONSTRAINT_STATE_ELEMENTS },
    { name: 'row sparsity', elements: gateRowCount(gateLayout(config)) },
    { name: 'window domains', elements: shape.batch },
    { name: 'metrics', elements: METRICS_IN_FLIGHT * STEP_METRICS_WORDS },
  ];
}

/** Bytes that a trainer of this shape holds, its metrics on their way back included. */
export function trainerBytes(config: LlamaConfig, shape: BatchShape, withGates: boolean): number {
  return (
    planBytes(trainingPlan(config, shape)) +
    planBytes(optimiserPlan(config, shape, withGates)) +
    METRICS_IN_FLIGHT * STEP_METRICS_WORDS * 4 +
    STEP_INPUT_WORDS * 4
  );
}

export function createTrainer(gpu: Gpu, options: TrainerOptions): Promise<Trainer> {
  return makeOwned(async ({ own }) => {
    const { config, shape } = options;
    const layout = parameterLayout(config);
    const gates = gateLayout(config);
    const tail = tailPlan(config, options.gates !== null);
    const label = options.gates ? 'pruning' : 'retraining';
    const at = own(allocateTraining(gpu, label, config, shape));
    const optimiser = own(allocate(gpu, label, optimiserPlan(config, shape, options.gates !== null)));
    const step = wholeBuffer(gpu.createBuffer(`${label} step`, STEP_INPUT_WORDS * 4, UNIFORM_USAGE));
    own({ destroy: () => gpu.destroyBuffer(step.buffer) });
    const metricsRing = own(
      createReadRing(gpu, `${label} metrics`, STEP_METRICS_WORDS * 4, METRICS_IN_FLIGHT),
    );

    const parameters = optimiser.slice('parameters');
    const gradients = optimiser.slice('gradients');
    const model: ModelView = { config, layout, parameters, software: gpu.adapter.software };
    writeElements(gpu, parameters, options.parameters);
    writeElements(gpu, at.gates, openGates(config));
    writeRopeTable(gpu, at.rope, config, shape.context);
    const tailElements = tail.gates + MULTIPLIER_COUNT;
    const tailOf = (slice: Slice) => sliceElements(slice, tail.weights, tailElements);
    if (options.gates) {
      const values = new Float32Array(tailElements);
      values.fill(options.gates.logAlpha, 0, tail.gates);
      values.fill(options.gates.quadraticMultiplier, tail.gates + GATE_SETS.length);
      writeElements(gpu, parameters, values, tail.weights);
    }

    const program = own(
      await recordProgram(gpu, label, (r) => {
        const learnt = options.gates !== null;
        if (learnt) {
          const logAlpha = sliceElements(parameters, tail.weights, tail.gates);
          sampleGates(r, { logAlpha, gates: at.gates, step, layout: gates, label: 'sample gates' });
        }
        recordForward(r, model, at, shape);
        recordLoss(r, model, { ...at, normed: at.normed[2 * config.numHiddenLayers]! }, shape, {
          normed: at.normedGradient,
          parameters: gradients,
          productScratch: at.productScratch,
        });
        recordBackward(r, model, gradients, at, shape, learnt ? tailOf(gradients) : null);
        const constraintState = optimiser.slice('constraint state');
        if (learnt) {
          constraint(r, {
            tail: tailOf(parameters),
            gates: at.gates,
            gradient: tailOf(gradients),
            rowSparsity: optimiser.slice('row sparsity'),
            state: constraintState,
            step,
            layout: gates,
            label: 'constraint',
          });
        }
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
            weightEnd: tail.weights,
            gateEnd: tail.weights + tail.gates,
            elements: tail.weights + (learnt ? tailElements : 0),
          },
          step,
          label: 'adamw',
        });
        stepMetrics(r, {
          losses: at.losses,
          windowDomains: optimiser.slice('window domains'),
          windows: shape.batch,
          windowLength: shape.context,
          predictionsPerWindow: shape.context - 1,
          gradientState,
          ...(learnt && {
            constraint: { state: constraintState, tail: tailOf(parameters), gateCount: tail.gates },
          }),
          ring: optimiser.slice('metrics'),
          step,
          label: 'metrics',
        });
      }),
    );

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
      async readLogAlpha() {
        if (!options.gates) throw new Error('this trainer has no gates');
        // Adam may have moved it past the clamp, which the next step's sampling would restore.
        return (await readFloats(gpu, sliceElements(parameters, tail.weights, tail.gates))).map(
          clampLogAlpha,
        );
      },
      readParameters: () => readFloats(gpu, sliceElements(parameters, 0, layout.total)),
      inspect: () => ({ parameters, gradients, gates: at.gates }),
    };
  });
}
