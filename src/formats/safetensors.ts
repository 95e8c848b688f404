import { z } from 'zod';
import {
  brainHalvesToFloats,
  firstNonFinite,
  floatsToBrainHalves,
  floatsToHalves,
  halvesToFloats,
} from './floats';
import { checked, parseJson, plain, quoted, refuse, wholeNumber } from './refusal';

/** Formats of weights that the lab reads; all become f32. */
export type WeightType = 'F32' | 'F16' | 'BF16';

/** Row-major values of a tensor, as f32. */
export interface Tensor {
  shape: number[];
  data: Float32Array;
}

export interface StoredTensor extends Tensor {
  /** What the file held. */
  dtype: WeightType;
}

/** An opened file: its header has been checked, its values have not been read. */
export interface SafetensorsFile {
  /** Named in errors. */
  fileName: string;
  /** What follows the header. */
  values: Uint8Array;
  tensors: Map<string, TensorEntry>;
  metadata: Record<string, string>;
}

interface TensorEntry {
  dtype: string;
  shape: number[];
  /** Bytes into `values`. */
  begin: number;
  end: number;
}

const BYTES: Readonly<Record<WeightType, number>> = { F32: 4, F16: 2, BF16: 2 };
/** The format's own limit on a header. */
const MAX_HEADER = 100_000_000;
const MAX_RANK = 8;

const size = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const entrySchema = z.strictObject({
  dtype: z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/),
  shape: z.array(size).max(MAX_RANK),
  data_offsets: z.tuple([size, size], { error: 'must be a pair of whole numbers' }),
});
const metadataSchema = z.record(z.string(), z.string());

function isWeightType(dtype: string): dtype is WeightType {
  return Object.hasOwn(BYTES, dtype);
}

/** Names that are given twice in one object of valid JSON: JSON.parse would silently keep the last. */
function firstDuplicateName(json: string): string | null {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (let match = token.exec(json); match; match = token.exec(json)) {
    const [text, colon] = match;
    if (text === '{') open.push(new Set());
    else if (text === '[') open.push(null);
    else if (text === '}' || text === ']') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(text.slice(0, text.length - colon.length)) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return null;
}

/**
 * Reads the header of a safetensors file: eight bytes of length (little-endian), that many bytes of JSON,
 * then the values without gaps or overlaps (https://huggingface.co/docs/safetensors).
 *
 * @throws InputError in one sentence that names the tensor and what is wrong with it.
 */
export function openSafetensors(
  bytes: ArrayBuffer | Uint8Array,
  fileName = 'model.safetensors',
): SafetensorsFile {
  const subject = plain(fileName);
  // A plain view also of a Node Buffer, whose `slice` would not copy.
  const file = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
  if (file.byteLength < 10)
    refuse(subject, `it has ${file.byteLength} bytes, too few for a safetensors file`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER))
    refuse(subject, 'the header length is above 100 MB, so this is no safetensors file');
  const headerEnd = 8 + Number(length);
  if (headerEnd > file.byteLength) {
    refuse(
      subject,
      `the header should end at byte ${headerEnd}, but the file has ${file.byteLength}: it is cut off`,
    );
  }
  const headerBytes = file.subarray(8, headerEnd);
  const header = parseJson(headerBytes, `${subject} header`, MAX_HEADER);
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    return refuse(subject, 'the header must be a JSON object');
  }
  const duplicate = firstDuplicateName(new TextDecoder().decode(headerBytes));
  if (duplicate !== null) refuse(subject, `the header names ${quoted(duplicate)} twice`);

  let metadata: Record<string, string> = {};
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__proto__') refuse(subject, 'the header names a tensor "__proto__", which is not allowed');
    if (name === '__metadata__') {
      metadata = checked(metadataSchema, value, `${subject} __metadata__`);
      continue;
    }
    const { dtype, shape, data_offsets } = checked(entrySchema, value, `${subject} tensor ${quoted(name)}`);
    tensors.set(name, { dtype, shape, begin: data_offsets[0], end: data_offsets[1] });
  }
  const values = file.subarray(headerEnd);
  checkPlaces(tensors, values.byteLength, subject);
  return { fileName: subject, values, tensors, metadata };
}

/** Every byte belongs to exactly one tensor, and every tensor has as many as its shape needs. */
function checkPlaces(tensors: ReadonlyMap<string, TensorEntry>, available: number, subject: string): void {
  let end = 0;
  const inFileOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, tensor] of inFileOrder) {
    const who = `tensor ${quoted(name)}`;
    if (tensor.end < tensor.begin) refuse(subject, `${who} ends before it begins (data_offsets)`);
    if (tensor.begin < end) refuse(subject, `${who} overlaps the tensor before it (data_offsets)`);
    if (tensor.begin > end) refuse(subject, `there is a gap before ${who} (data_offsets)`);
    if (tensor.end > available) {
      refuse(
        subject,
        `${who} needs ${tensor.end} bytes of values, but the file has ${available}: it is cut off`,
      );
    }
    if (isWeightType(tensor.dtype)) {
      const elements = elementsOf(tensor.shape);
      // A product beyond 2^53 is not exact, but then it is also far beyond any file.
      if (elements * BYTES[tensor.dtype] !== tensor.end - tensor.begin) {
        refuse(subject, `${who} of shape [${tensor.shape.join(', ')}] does not fit its data_offsets`);
      }
    }
    end = tensor.end;
  }
  if (end !== available) refuse(subject, `${available - end} bytes after the last tensor belong to none`);
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/**
 * Reads one tensor as f32.
 *
 * @throws InputError if the file has no such tensor, its dtype is not F32, F16 or BF16, or a value is NaN or
 * infinite.
 */
export function readTensor(file: SafetensorsFile, name: string): StoredTensor {
  const entry = file.tensors.get(name);
  if (!entry) return refuse(file.fileName, `tensor ${quoted(name)} is missing`);
  const { dtype, shape, begin, end } = entry;
  if (!isWeightType(dtype)) {
    return refuse(
      file.fileName,
      `tensor ${quoted(name)} has dtype ${plain(dtype)}; the lab reads F32, F16 and BF16, so convert it first`,
    );
  }
  // A copy: the values may start at any byte, and typed arrays must be aligned.
  const raw = file.values.slice(begin, end).buffer;
  const data =
    dtype === 'F32'
      ? new Float32Array(raw)
      : dtype === 'F16'
        ? halvesToFloats(new Uint16Array(raw))
        : brainHalvesToFloats(new Uint16Array(raw));
  const bad = firstNonFinite(data);
  if (bad >= 0) {
    refuse(
      file.fileName,
      `tensor ${quoted(name)} holds ${data[bad]} at element ${bad}; weights must be finite`,
    );
  }
  return { dtype, shape, data };
}

/** Reads every tensor of a safetensors file as f32. @throws InputError as its parts do. */
export function parseSafetensors(
  bytes: ArrayBuffer | Uint8Array,
  fileName?: string,
): Map<string, StoredTensor> {
  const file = openSafetensors(bytes, fileName);
  return new Map([...file.tensors.keys()].map((name) => [name, readTensor(file, name)]));
}

/**
 * Writes tensors as a safetensors file, in the order given; values start at a multiple of eight bytes.
 *
 * @throws Error if a shape does not fit its values or a value is not finite: a broken model is never written.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
  dtype: WeightType = 'F32',
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', ...metadata } };
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    if (elementsOf(shape) !== data.length) {
      throw new Error(`Tensor ${quoted(name)} of shape [${shape.join(', ')}] has ${data.length} values.`);
    }
    header[name] = { dtype, shape, data_offsets: [end, (end += data.length * BYTES[dtype])] };
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8, 8 + headerLength);
  file.set(json, 8);

  let offset = 8 + headerLength;
  for (const [name, { data }] of tensors) {
    if (firstNonFinite(data) >= 0)
      throw new Error(`Tensor ${quoted(name)} holds a value that is not finite.`);
    const stored =
      dtype === 'F32' ? data : dtype === 'F16' ? floatsToHalves(data) : floatsToBrainHalves(data);
    file.set(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength), offset);
    offset += stored.byteLength;
  }
  return file;
}
