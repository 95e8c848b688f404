import { createStorage, uploadStorage } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { recordProgram, type Kernel } from '../gpu/program';
import { createGpuTimer, type GpuTimer } from '../gpu/timing';

/** What the adapter reaches at most, measured with kernels that do nothing else. */
export interface MeasuredLimits {
  /** Multiply-adds of f32 in registers, two operations each, per second. */
  flopsPerSecond: number;
  /** Bytes read and written per second by a copy between buffers, and by a kernel that scales a vector. */
  copyBytesPerSecond: number;
  streamBytesPerSecond: number;
  /** The same kernel on buffers that a GPU's cache holds: the working set of a small model. */
  cachedBytesPerSecond: number;
  /** From one dispatch to the next that waits for it, in one compute pass, each doing nothing. */
  nanosecondsPerDispatch: number;
  /** Timed by timestamp queries. */
  exact: boolean;
}

const SOURCE = /* wgsl */ `
struct Size { count: u32, rounds: u32 }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;

@compute @workgroup_size(256)
fn stream(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) num: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let stride = num.x * 256u;
  for (var i = wg.x * 256u + local.x; i < size.count; i += stride) { b[i] = a[i] * 1.0001; }
}

// Eight independent chains, so that the latency of one is hidden behind the others.
@compute @workgroup_size(256)
fn multiply_add(@builtin(global_invocation_id) id: vec3u) {
  let x = a[0];
  let y = a[1];
  var s0 = x + f32(id.x & 7u); var s1 = s0 + 1.0; var s2 = s0 + 2.0; var s3 = s0 + 3.0;
  for (var i = 0u; i < size.rounds; i++) {
    s0 = fma(s0, x, y); s1 = fma(s1, x, y); s2 = fma(s2, x, y); s3 = fma(s3, x, y);
    s0 = fma(s0, x, y); s1 = fma(s1, x, y); s2 = fma(s2, x, y); s3 = fma(s3, x, y);
    s0 = fma(s0, x, y); s1 = fma(s1, x, y); s2 = fma(s2, x, y); s3 = fma(s3, x, y);
    s0 = fma(s0, x, y); s1 = fma(s1, x, y); s2 = fma(s2, x, y); s3 = fma(s3, x, y);
  }
  // Never true, and unknown to the compiler.
  if (s0.x + s1.x + s2.x + s3.x == 12345.678) { b[0] = s0 + s1 + s2 + s3; }
}

@compute @workgroup_size(1)
fn nothing() {
  if (size.count == 0xffffffffu) { b[0] = a[0]; }
}
`;

/** 16 fused multiply-adds of four values each, two operations apiece. */
const FLOPS_A_ROUND = 16 * 4 * 2;
/** Workgroups that fill any GPU: 256 invocations each. */
const FULL = { software: 64, hardware: 132 * 64 };
const LARGE_BYTES = { software: 2 ** 26, hardware: 2 ** 29 };
const CACHED_BYTES = 2 ** 22;

const kernel = (entryPoint: string): Kernel => ({ name: 'limits', code: SOURCE, entryPoint });

/** The least of several times: what else the machine does only ever adds. */
async function least(times: number, measure: () => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < times; i++) best = Math.min(best, await measure());
  return best;
}

export async function measureLimits(gpu: Gpu): Promise<MeasuredLimits> {
  const timer = createGpuTimer(gpu);
  const kind = gpu.adapter.software ? 'software' : 'hardware';
  const most = Math.min(
    gpu.device.limits.maxBufferSize,
    gpu.device.limits.maxStorageBufferBindingSize,
    LARGE_BYTES[kind],
  );
  const bytes = Math.floor(most / 2 ** 20) * 2 ** 20;
  const from = createStorage(gpu, 'limits from', bytes / 4);
  const to = createStorage(gpu, 'limits to', bytes / 4);
  const small = uploadStorage(
    gpu,
    'limits values',
    Float32Array.of(...Array<number>(4).fill(0.999), 1e-3, 1e-3, 1e-3, 1e-3),
  );
  const times = gpu.adapter.software ? 3 : 10;

  const dispatch = async (
    entryPoint: string,
    { count, rounds, workgroups, repeats }: Record<'count' | 'rounds' | 'workgroups' | 'repeats', number>,
  ) => {
    const program = await recordProgram(gpu, entryPoint, (recorder) =>
      recorder.dispatch({
        kernel: kernel(entryPoint),
        label: entryPoint,
        uniforms: [count, rounds],
        bindings: [entryPoint === 'multiply_add' ? small : from, to],
        workgroups: [workgroups],
      }),
    );
    await timer.span(program, repeats);
    const nanoseconds = (await least(times, () => timer.span(program, repeats))) / repeats;
    program.destroy();
    return nanoseconds;
  };

  try {
    const rounds = gpu.adapter.software ? 256 : 2048;
    const workgroups = FULL[kind];
    const multiplyAdd = await dispatch('multiply_add', { count: 0, rounds, workgroups, repeats: 1 });
    const stream = (size: number, repeats: number) =>
      dispatch('stream', {
        count: size / 16,
        rounds: 0,
        workgroups: Math.min(workgroups, size / 4096),
        repeats,
      });
    const large = await stream(bytes, 1);
    const cached = await stream(CACHED_BYTES, gpu.adapter.software ? 4 : 200);
    const nothing = await dispatch('nothing', { count: 0, rounds: 0, workgroups: 1, repeats: 1000 });
    return {
      flopsPerSecond: (workgroups * 256 * rounds * FLOPS_A_ROUND) / (multiplyAdd * 1e-9),
      copyBytesPerSecond:
        (2 * bytes) / ((await copyTime(timer, from.buffer, to.buffer, bytes, times)) * 1e-9),
      streamBytesPerSecond: (2 * bytes) / (large * 1e-9),
      cachedBytesPerSecond: (2 * CACHED_BYTES) / (cached * 1e-9),
      nanosecondsPerDispatch: nothing,
      exact: timer.exact,
    };
  } finally {
    for (const slice of [from, to, small]) gpu.destroyBuffer(slice.buffer);
    timer.destroy();
  }
}

/** Copies run on an engine of their own on some GPUs, so the times of one and of five copies are compared. */
async function copyTime(timer: GpuTimer, from: GPUBuffer, to: GPUBuffer, bytes: number, times: number) {
  const copies = (count: number) =>
    timer.around((encoder) => {
      for (let i = 0; i < count; i++) encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    });
  const one = await least(times, () => copies(1));
  const five = await least(times, () => copies(5));
  return (five - one) / 4;
}
