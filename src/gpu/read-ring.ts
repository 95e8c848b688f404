import { mapForReading, STAGING_USAGE, type Slice } from './buffers';
import type { Gpu } from './device';

/** One read on its way: copy in the submit that makes the values, then wait for the bytes. */
export interface PendingRead {
  copy(encoder: GPUCommandEncoder, from: Slice): void;
  /** @throws GpuError, or when the device is lost. */
  bytes(): Promise<ArrayBuffer>;
}

/** A few staging buffers of `size` bytes in turn, so that small results come back while the GPU works on. */
export function createReadRing(gpu: Gpu, label: string, size: number, count: number) {
  const all = Array.from({ length: count }, () => gpu.createBuffer(label, size, STAGING_USAGE));
  const free = [...all];
  return {
    /** Takes a free buffer at once: what is submitted next belongs to it. @throws when all are under way. */
    take(): PendingRead {
      const buffer = free.pop();
      if (!buffer) throw new Error(`${label}: more than ${count} reads under way`);
      return {
        copy: (encoder, from) => encoder.copyBufferToBuffer(from.buffer, from.offset, buffer, 0, size),
        async bytes() {
          gpu.counters.readBacks++;
          await mapForReading(buffer);
          const bytes = buffer.getMappedRange().slice(0);
          buffer.unmap();
          free.push(buffer);
          gpu.throwOnError();
          return bytes;
        },
      };
    },
    destroy() {
      for (const buffer of all) gpu.destroyBuffer(buffer);
    },
  };
}
