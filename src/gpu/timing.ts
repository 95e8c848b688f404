import type { Gpu } from './device';
import { encodeDispatches, type Program } from './program';

/** GPU time by timestamp queries, in nanoseconds; by the clock around a submit where the device has none. */
export interface GpuTimer {
  /** False: times are the clock's, submit and wait included, and `each` is not to be had. */
  exact: boolean;
  /**
   * Time of each dispatch of one replay, every one in a compute pass of its own that runs it `times` times: what a
   * dispatch that follows another takes is the difference of two counts. @throws when not `exact`.
   */
  each(program: Program, times?: number): Promise<number[]>;
  /** Time of `repeats` replays one behind the other in one compute pass. */
  span(program: Program, repeats?: number): Promise<number>;
  /** Time of whatever is encoded between two empty passes. */
  around(encode: (encoder: GPUCommandEncoder) => void): Promise<number>;
  destroy(): void;
}

/** WebGPU's limit of a query set. */
const MAX_QUERIES = 4096;

const RESOLVE_USAGE = 0x0200 | 0x0004; // QUERY_RESOLVE | COPY_SRC
const READ_USAGE = 0x0001 | 0x0008; // MAP_READ | COPY_DST

export function createGpuTimer(gpu: Gpu): GpuTimer {
  const { device } = gpu;
  if (!device.features.has('timestamp-query')) return clockTimer(gpu);
  const querySet = device.createQuerySet({ type: 'timestamp', count: MAX_QUERIES });
  const resolved = gpu.createBuffer('timestamps', MAX_QUERIES * 8, RESOLVE_USAGE);
  const staging = gpu.createBuffer('timestamps read', MAX_QUERIES * 8, READ_USAGE);

  /** Submits what `encode` appends, with as many queries as it says, and returns their nanoseconds. */
  const measure = async (queries: number, encode: (encoder: GPUCommandEncoder) => void) => {
    const encoder = device.createCommandEncoder({ label: 'timed' });
    encode(encoder);
    encoder.resolveQuerySet(querySet, 0, queries, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, queries * 8);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(READ_USAGE & 1, 0, queries * 8);
    const stamps = new BigUint64Array(staging.getMappedRange(0, queries * 8).slice(0));
    staging.unmap();
    gpu.throwOnError();
    return stamps;
  };
  const between = (stamps: BigUint64Array, first: number, last: number) =>
    Number(stamps[last]! - stamps[first]!);
  const stamped = (begin: number, end: number) => ({
    timestampWrites: { querySet, beginningOfPassWriteIndex: begin, endOfPassWriteIndex: end },
  });

  return {
    exact: true,
    async each({ dispatches }, times = 1) {
      const queries = 2 * dispatches.length;
      if (queries > MAX_QUERIES) throw new Error(`${dispatches.length} dispatches are too many to time`);
      const stamps = await measure(queries, (encoder) =>
        dispatches.forEach((dispatch, i) => {
          const pass = encoder.beginComputePass(stamped(2 * i, 2 * i + 1));
          for (let n = 0; n < times; n++) encodeDispatches(pass, [dispatch]);
          pass.end();
        }),
      );
      return dispatches.map((_, i) => between(stamps, 2 * i, 2 * i + 1));
    },
    async span({ dispatches }, repeats = 1) {
      const stamps = await measure(2, (encoder) => {
        const pass = encoder.beginComputePass(stamped(0, 1));
        for (let i = 0; i < repeats; i++) encodeDispatches(pass, dispatches);
        pass.end();
      });
      return between(stamps, 0, 1);
    },
    async around(encode) {
      const stamps = await measure(4, (encoder) => {
        encoder.beginComputePass(stamped(0, 1)).end();
        encode(encoder);
        encoder.beginComputePass(stamped(2, 3)).end();
      });
      return between(stamps, 1, 2);
    },
    destroy() {
      querySet.destroy();
      gpu.destroyBuffer(resolved);
      gpu.destroyBuffer(staging);
    },
  };
}

function clockTimer({ device, throwOnError }: Gpu): GpuTimer {
  const around = async (encode: (encoder: GPUCommandEncoder) => void) => {
    await device.queue.onSubmittedWorkDone();
    const started = performance.now();
    const encoder = device.createCommandEncoder();
    encode(encoder);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    throwOnError();
    return (performance.now() - started) * 1e6;
  };
  return {
    exact: false,
    each: () => Promise.reject(new Error('This adapter has no timestamp queries.')),
    span: ({ dispatches }, repeats = 1) =>
      around((encoder) => {
        const pass = encoder.beginComputePass();
        for (let i = 0; i < repeats; i++) encodeDispatches(pass, dispatches);
        pass.end();
      }),
    around,
    destroy: () => undefined,
  };
}
