import type { Slice } from './buffers';
import type { Gpu } from './device';

const STAGING_USAGE = 0x0001 | 0x0008; // MAP_READ | COPY_DST
const MAP_READ = 0x0001;

/** One read on its way: copy in the submit that makes the values, then wait for the bytes. */
export interface PendingRead {
  copy(encoder: GPUCommandEncoder, from: Slice): void;
  bytes(): Promise<ArrayBuffer>;
}

/**
 * A few staging buffers of `size` bytes that are mapped in turn, so that small results come back while the
 * GPU works on what follows. `reserve` waits only when all of them are under way.
 */
export function createReadRing(gpu: Gpu, label: string, size: number, count: number) {
  const all = Array.from({ length: count }, () => gpu.createBuffer(label, size, STAGING_USAGE));
  const free = [...all];
  const waiting: ((buffer: GPUBuffer) => void)[] = [];
  const release = (buffer: GPUBuffer) => {
    const next = waiting.shift();
    if (next) next(buffer);
    else free.push(buffer);
  };
  return {
    async reserve(): Promise<PendingRead> {
      const buffer = free.pop() ?? (await new Promise<GPUBuffer>((resolve) => waiting.push(resolve)));
      return {
        copy: (encoder, from) => encoder.copyBufferToBuffer(from.buffer, from.offset, buffer, 0, size),
        async bytes() {
          gpu.counters.readBacks++;
          await buffer.mapAsync(MAP_READ);
          const bytes = buffer.getMappedRange().slice(0);
          buffer.unmap();
          release(buffer);
          return bytes;
        },
      };
    },
    destroy() {
      for (const buffer of all) gpu.destroyBuffer(buffer);
    },
  };
}
