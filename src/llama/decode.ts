import { writeElements } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { makeOwned } from '../gpu/ownership';
import { recordProgram, submitPrograms, type Program, type Recorder } from '../gpu/program';
import { createReadRing } from '../gpu/read-ring';
import { allFinite, finite } from '../fields/finite';
import { ALL_FINITE, argmax } from '../kernels/argmax';
import { attentionCached } from '../kernels/attention';
import { matvec } from '../kernels/matvec';
import { ropeToCache } from '../kernels/rope-cache';
import type { LlamaConfig } from './config';
import { recordBlocks, recordForward, type BlockOperators } from './forward';
import { gateLayout } from './gates';
import { openGates, withUploaded, writeRopeTable } from './inference';
import { regionSlice, type ModelView } from './model';
import { linearShapes, type FlatModel, type Region } from './parameters';
import { allocateDecode } from './workspace';

/** Steps whose tokens may be on their way back at the same time. */
export const STEPS_IN_FLIGHT = 4;

type DecodeWorkspace = ReturnType<typeof allocateDecode>;

/**
 * The forward pass of one token: `state` holds it and its position t. Its keys and values go into row t of each
 * layer's cache, its query looks at rows 0 … t, and its logits are left [V]. What a token needs of the others is in
 * the cache, so that every product is a matrix with one vector.
 */
function recordStep(recorder: Recorder, model: ModelView, at: DecodeWorkspace, context: number): void {
  const { config, layout, parameters } = model;
  const { hiddenSize, headDim, numAttentionHeads: heads, numKeyValueHeads: keyValueHeads } = config;
  const gates = gateLayout(config);
  const shapes = linearShapes(config);
  const optional = (region: Region | null) => (region ? regionSlice(parameters, region) : undefined);

  const linear: BlockOperators['linear'] = ({ layer, name, x, y, bias, label }) => {
    const matrix = regionSlice(parameters, layout.layers[layer]![name]);
    matvec(recorder, { matrix, x, y, bias: optional(bias), ...shapes[name], label });
  };
  const attention = (l: number, name: string) => {
    const product = at.tokenQkv;
    const shared = { cache: at.qkv[l]!, state: at.state, heads, keyValueHeads, headDim };
    // The rotation adds the bias.
    linear({ layer: l, name: 'qkv', x: at.normed[2 * l]!, y: product, bias: null, label: `${name} qkv` });
    ropeToCache(recorder, {
      ...shared,
      product,
      bias: optional(layout.layers[l]!.qkvBias),
      table: at.rope,
      label: `${name} rope`,
    });
    attentionCached(recorder, {
      ...shared,
      gates: at.gates,
      headGate: gates.head.offset + l * keyValueHeads,
      context: at.attended[l]!,
      contextLength: context,
      label: `${name} attention`,
    });
  };
  recordBlocks(recorder, model, { ...at, tokens: at.state }, 1, { linear, attention });
  matvec(recorder, {
    matrix: regionSlice(parameters, layout.head),
    x: at.normed[2 * config.numHiddenLayers]!,
    y: at.logits,
    n: config.vocabSize,
    k: hiddenSize,
    label: 'logits',
  });
}

/** A model that continues one sequence: a step computes one token, what it needs of the others is cached. */
export interface Decoder {
  /** Names the model in sentences: "the source model". */
  label: string;
  config: LlamaConfig;
  /** Positions that the cache has. */
  context: number;
  /** Sets the value of every gate (flat in the gate layout); what is in the cache was computed with those before. */
  setGates(gates: Float32Array): void;
  /**
   * Starts a sequence with `tokens`, 1 to `context` of them: all but the last go through the model in one pass that
   * fills the cache; the last is what the next step takes. Does not wait for the GPU.
   *
   * @throws on another number of tokens
   */
  begin(tokens: readonly number[]): Promise<void>;
  /**
   * One step; the token that it chooses on the GPU, the likeliest, of equal ones the first, is what the next step
   * takes, which need not wait for this one's answer: up to `STEPS_IN_FLIGHT` may be under way.
   *
   * @throws NotFiniteError when a logit is not finite; an error when the cache is full
   */
  likeliest(): Promise<number>;
  /**
   * One step; its logits [V]. `take` says what the next step takes. One at a time.
   *
   * @throws as `likeliest`
   */
  logits(): Promise<Float32Array>;
  /** What the next step takes. */
  take(token: number): void;
  destroy(): void;
}

/**
 * Records the step of a model once; every token replays it, with the token and its position in a buffer. One
 * sequence of up to `context` tokens.
 *
 * @throws when the model has adapters: fold them in first
 */
export function createDecoder(gpu: Gpu, label: string, model: ModelView, context: number): Promise<Decoder> {
  return makeOwned(async ({ own }) => {
    const { config } = model;
    if (model.adapters) throw new Error(`${label}: a model writes without adapters; fold them in first`);
    const at = own(allocateDecode(gpu, label, config, context));
    writeRopeTable(gpu, at.rope, config, context);
    writeElements(gpu, at.gates, openGates(config));
    const record = async (part: string, build: (recorder: Recorder) => void) =>
      own(await recordProgram(gpu, `${label} ${part}`, build));
    const step = await record('step', (r) => recordStep(r, model, at, context));
    const choice = await record('choice', (r) =>
      argmax(r, { logits: at.logits, state: at.state, vocabulary: config.vocabSize, label: 'choice' }),
    );
    const choices = own(createReadRing(gpu, `${label} tokens`, at.state.size, STEPS_IN_FLIGHT));
    const logits = own(createReadRing(gpu, `${label} logits`, at.logits.size, 1));

    /** Of the token that the next step takes. */
    let position = 0;
    /** Submits a step and what copies its result; gives what that is in sentences. */
    const submit = (programs: Program[], copy: (encoder: GPUCommandEncoder) => void) => {
      if (position >= context) throw new Error(`${label}: the cache of ${context} positions is full`);
      writeElements(gpu, at.state, Uint32Array.of(position), 1);
      submitPrograms(gpu, programs, copy);
      position++;
      return `The logits behind token ${position} (${label})`;
    };

    return {
      label,
      config,
      context,
      setGates: (gates: Float32Array) => writeElements(gpu, at.gates, gates),
      async begin(tokens: readonly number[]) {
        if (tokens.length < 1 || tokens.length > context) {
          throw new Error(`${label}: ${tokens.length} tokens do not begin a sequence of 1 to ${context}`);
        }
        const rows = tokens.length - 1;
        if (rows > 0) {
          const shape = { batch: 1, context: rows };
          const prompt = await recordProgram(gpu, `${label} prompt`, (r) =>
            recordForward(r, model, at, shape),
          );
          writeElements(gpu, at.tokens, Uint32Array.from(tokens.slice(0, rows)));
          submitPrograms(gpu, [prompt]);
          prompt.destroy();
        }
        writeElements(gpu, at.state, Uint32Array.of(tokens[rows]!));
        position = rows;
      },
      async likeliest() {
        const read = choices.take();
        const what = submit([step, choice], (encoder) => read.copy(encoder, at.state));
        const bytes = await read.bytes();
        const [token, , place] = new Uint32Array(bytes);
        if (place !== ALL_FINITE) finite(new Float32Array(bytes)[3]!, `${what} at place ${place! + 1}`);
        return token!;
      },
      async logits() {
        const read = logits.take();
        const what = submit([step], (encoder) => read.copy(encoder, at.logits));
        return allFinite(new Float32Array(await read.bytes()), what);
      },
      take: (token: number) => writeElements(gpu, at.state, Uint32Array.of(token)),
    };
  });
}

/** Uploads a model, runs `use` with its decoder, and destroys both whatever happens. */
export function withDecoder<T>(
  gpu: Gpu,
  label: string,
  model: FlatModel,
  context: number,
  use: (decoder: Decoder) => Promise<T>,
): Promise<T> {
  return withUploaded(gpu, label, model, (view) => createDecoder(gpu, label, view, context), use);
}
