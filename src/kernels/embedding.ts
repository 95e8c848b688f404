import source from '../../shaders/embedding.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

const embeddingForwardKernel: Kernel = {
  name: 'embedding forward',
  code: source,
  entryPoint: 'embedding_forward',
};

const embeddingBackwardKernel: Kernel = {
  name: 'embedding backward',
  code: source,
  entryPoint: 'embedding_backward',
};

/** The rows of a step sorted by their token, which turns the embedding's gradient into a gather. */
export interface TokenGroups {
  /** u32 [M]: rows sorted by token, in row order inside a token. */
  positions: Uint32Array<ArrayBuffer>;
  /** u32 [V + 1]: the rows of token v are positions[starts[v] .. starts[v + 1]). */
  starts: Uint32Array<ArrayBuffer>;
}

/** Counting sort of the rows by token. @throws RangeError when a token is not in [0, vocabulary). */
export function groupByToken(tokens: ArrayLike<number>, vocabulary: number): TokenGroups {
  const starts = new Uint32Array(vocabulary + 1);
  for (let row = 0; row < tokens.length; row++) {
    const token = tokens[row]!;
    if (!(token >= 0 && token < vocabulary)) {
      throw new RangeError(`token ${token} of row ${row} is outside a vocabulary of ${vocabulary}`);
    }
    starts[token + 1]!++;
  }
  for (let token = 0; token < vocabulary; token++) starts[token + 1]! += starts[token]!;
  const next = starts.slice();
  const positions = new Uint32Array(tokens.length);
  for (let row = 0; row < tokens.length; row++) {
    const token = tokens[row]!;
    positions[next[token]!] = row;
    next[token]!++;
  }
  return { positions, starts };
}

export interface EmbeddingForwardOptions {
  /** [vocabulary, hidden]. */
  table: Slice;
  /** u32 [rows]. */
  tokens: Slice;
  /** [rows, hidden], written. */
  output: Slice;
  rows: number;
  hidden: number;
  label: string;
}

/** output[r] = table[tokens[r]]. Gates do not touch the embedding (Sheared LLaMA masks after the norm). */
export function embeddingForward(recorder: Recorder, options: EmbeddingForwardOptions): void {
  const { table, tokens, output, rows, hidden, label } = options;
  recorder.dispatch({
    kernel: embeddingForwardKernel,
    label,
    uniforms: { rows, hidden, accumulate: false },
    bindings: [table, tokens, output],
    workgroups: foldWorkgroups(rows),
    work: { flops: 0, bytes: 4 * rows * (2 * hidden + 1) },
  });
}

export interface EmbeddingBackwardOptions {
  /** [rows, hidden]: gradient of the forward's output. */
  dOutput: Slice;
  /** `groupByToken` of the step's tokens: u32 [rows] and u32 [vocabulary + 1]. */
  positions: Slice;
  starts: Slice;
  /** [vocabulary, hidden]. */
  dTable: Slice;
  /** Add to dTable (an output head tied to the table has written there) instead of overwriting it. */
  accumulate: boolean;
  vocabulary: number;
  hidden: number;
  label: string;
}

/** dTable[v] (+)= Σ of dOutput over the rows whose token is v, in a fixed order: the same bits every time. */
export function embeddingBackward(recorder: Recorder, options: EmbeddingBackwardOptions): void {
  const { dOutput, positions, starts, dTable, accumulate, vocabulary, hidden, label } = options;
  const rows = positions.size / 4;
  recorder.dispatch({
    kernel: embeddingBackwardKernel,
    label,
    uniforms: { rows: vocabulary, hidden, accumulate },
    bindings: [dOutput, positions, starts, dTable],
    workgroups: [...foldWorkgroups(vocabulary), Math.ceil(hidden / 64)],
    work: {
      flops: rows * hidden,
      bytes: 4 * (rows * (hidden + 1) + vocabulary * ((accumulate ? 2 : 1) * hidden + 1)),
    },
  });
}
