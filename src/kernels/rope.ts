import source from '../../shaders/rope.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Recorder } from '../gpu/program';

const THREADS = 64;

export interface RopeOptions {
  /** [batch·context, (H + 2G)·dh], in place: q heads, k heads, v heads. */
  qkv: Slice;
  /** [(H + 2G)·dh], added before the rotation. */
  bias?: Slice;
  /** [context or more, dh], of `ropeTable`. */
  table: Slice;
  batch: number;
  /** Rows a sequence, T. The position of a row is row mod T. */
  context: number;
  heads: number;
  keyValueHeads: number;
  headDim: number;
  label: string;
}

/** Appends bias and rotary embedding of q and k in place (RoFormer, arXiv 2104.09864; `shaders/rope.wgsl`). */
export function rope(recorder: Recorder, options: RopeOptions): void {
  const { qkv, bias, table, batch, context, heads, keyValueHeads, headDim, label } = options;
  const rows = batch * context;
  const rotated = heads + keyValueHeads;
  const all = rotated + keyValueHeads;
  const pairs = rows * (bias ? all : rotated) * (headDim / 2);
  recorder.dispatch({
    kernel: { name: 'rope', code: source, entryPoint: bias ? 'rope_bias' : 'rope' },
    label,
    uniforms: { rows, context, rotatedHeads: rotated, allHeads: all, headDim },
    bindings: bias ? [qkv, table, bias] : [qkv, table],
    workgroups: foldWorkgroups(Math.ceil(pairs / THREADS)),
    work: { flops: 6 * pairs, bytes: 4 * (4 * pairs + context * headDim) },
  });
}

/** How a model stretches its positions, in the words of Hugging Face's `rope_scaling`. */
export type RopeScaling =
  | { type: 'default' }
  | { type: 'linear'; factor: number }
  | {
      type: 'llama3';
      factor: number;
      lowFreqFactor: number;
      highFreqFactor: number;
      originalMaxPositionEmbeddings: number;
    };

export interface RopeConfig {
  /** Base of the frequencies: θ^(−2i/dh). */
  theta: number;
  scaling?: RopeScaling;
}

/**
 * The dh/2 angular frequencies, radians a position.
 *
 * linear divides all by the factor. llama3 keeps those of short wavelengths, divides those of long ones
 * and blends between (Llama 3.1): with w the wavelength and o the original context, wavelengths below
 * o/high stay, above o/low are divided, and between them s = (o/w − low)/(high − low) mixes the two.
 */
export function ropeFrequencies(headDim: number, { theta, scaling }: RopeConfig): Float64Array {
  return Float64Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = Math.pow(theta, (-2 * i) / headDim);
    if (!scaling || scaling.type === 'default') return frequency;
    if (scaling.type === 'linear') return frequency / scaling.factor;
    const { factor, lowFreqFactor: low, highFreqFactor: high } = scaling;
    const turns = (scaling.originalMaxPositionEmbeddings * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const s = (turns - low) / (high - low);
    return (1 - s) * (frequency / factor) + s * frequency;
  });
}

/** [context, dh]: for each position dh/2 cosines, then dh/2 sines, computed in f64 and rounded once. */
export function ropeTable(headDim: number, context: number, config: RopeConfig): Float32Array {
  const frequencies = ropeFrequencies(headDim, config);
  const table = new Float32Array(context * headDim);
  for (let t = 0; t < context; t++) {
    frequencies.forEach((frequency, i) => {
      table[t * headDim + i] = Math.cos(t * frequency);
      table[t * headDim + headDim / 2 + i] = Math.sin(t * frequency);
    });
  }
  return table;
}
