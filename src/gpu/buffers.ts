import type { Gpu } from './device';

/** A part of a buffer, as a kernel binds it. Offset and size in bytes; offset a multiple of 256. */
export interface Slice {
  buffer: GPUBuffer;
  offset: number;
  size: number;
}

/** WebGPU's guaranteed alignment of a binding's offset, in 32-bit elements. */
const BINDING_ALIGNMENT_ELEMENTS = 64;

const STORAGE_USAGE = 0x0080 | 0x0004 | 0x0008; // STORAGE | COPY_SRC | COPY_DST
export const UNIFORM_USAGE = 0x0040 | 0x0008; // UNIFORM | COPY_DST
export const STAGING_USAGE = 0x0001 | 0x0008; // MAP_READ | COPY_DST
export const MAP_READ = 0x0001;

/** Rounds a count of 32-bit elements up so that what follows it can be bound. */
export function alignElements(elements: number): number {
  return Math.ceil(elements / BINDING_ALIGNMENT_ELEMENTS) * BINDING_ALIGNMENT_ELEMENTS;
}

export function wholeBuffer(buffer: GPUBuffer): Slice {
  return { buffer, offset: 0, size: buffer.size };
}

/** A slice of `elements` 32-bit values that starts at element `start` (a multiple of 64) of `whole`. */
export function sliceElements(whole: Slice, start: number, elements: number): Slice {
  return { buffer: whole.buffer, offset: whole.offset + start * 4, size: elements * 4 };
}

/** A zero-filled storage buffer of `elements` 32-bit values. */
export function createStorage(gpu: Gpu, label: string, elements: number): Slice {
  return wholeBuffer(gpu.createBuffer(label, elements * 4, STORAGE_USAGE));
}

/** A storage buffer holding `values`. */
export function uploadStorage(
  gpu: Gpu,
  label: string,
  values: Float32Array | Uint32Array | Int32Array,
): Slice {
  const slice = createStorage(gpu, label, values.length);
  gpu.device.queue.writeBuffer(slice.buffer, 0, values as Float32Array<ArrayBuffer>);
  return slice;
}

/** Writes `values` at element `start` of a slice. */
export function writeElements(
  gpu: Gpu,
  slice: Slice,
  values: Float32Array | Uint32Array | Int32Array,
  start = 0,
): void {
  gpu.device.queue.writeBuffer(slice.buffer, slice.offset + start * 4, values as Float32Array<ArrayBuffer>);
}

/** Copies the first `elements` values of one slice to the beginning of another, on the GPU. @throws when there are fewer. */
export function copyElements(gpu: Gpu, from: Slice, to: Slice, elements: number): void {
  const bytes = elements * 4;
  if (from.size < bytes) throw new Error(`a slice of ${from.size / 4} values is copied as ${elements}`);
  const encoder = gpu.device.createCommandEncoder({ label: 'copy' });
  encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
  gpu.device.queue.submit([encoder.finish()]);
  gpu.counters.submits++;
}

/** Reads a slice back (waits for the GPU: never inside a training step). @throws GpuError, or when the device is lost. */
export async function readBack(gpu: Gpu, slice: Slice): Promise<ArrayBuffer> {
  const staging = gpu.createBuffer('read-back', slice.size, STAGING_USAGE);
  try {
    const encoder = gpu.device.createCommandEncoder({ label: 'read-back' });
    encoder.copyBufferToBuffer(slice.buffer, slice.offset, staging, 0, slice.size);
    gpu.device.queue.submit([encoder.finish()]);
    gpu.counters.submits++;
    gpu.counters.readBacks++;
    await staging.mapAsync(MAP_READ);
    gpu.throwOnError();
    return staging.getMappedRange(0, slice.size).slice(0);
  } finally {
    gpu.destroyBuffer(staging);
  }
}

export async function readFloats(gpu: Gpu, slice: Slice): Promise<Float32Array> {
  return new Float32Array(await readBack(gpu, slice));
}
