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

/** Independent chains of multiply-adds that are tried: GPUs differ in how many hide their latency. */
const CHAINS = [2, 4, 8];
/** Vector multiply-adds in a round of the loop, whatever the chains. */
const A_ROUND = 32;

const sourceOf = (chains: number) => /* wgsl */ `
struct Size { count: u32, rounds: u32 }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4f>;

@compute @workgroup_size(256)
fn stream(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) num: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let stride = num.x * 256u;
  for (var i = wg.x * 256u + local.x; i < size.count; i += stride) { b[i] = a[i] * 1.0001; }
}

// ${chains} independent chains of four values, so that the latency of one is hidden behind the others.
@compute @workgroup_size(256)
fn multiply_add(@builtin(global_invocation_id) id: vec3u) {
  let x = a[0].x;
  let y = a[1];
  var s: array<vec4f, ${chains}>;
  for (var c = 0u; c < ${chains}u; c++) { s[c] = a[0] + f32((id.x & 7u) + c); }
  for (var i = 0u; i < size.rounds; i++) {
${Array.from({ length: A_ROUND }, (_, i) => `    s[${i % chains}] = fma(s[${i % chains}], vec4f(x), y);`).join('\n')}
  }
  var sum = vec4f(0);
  for (var c = 0u; c < ${chains}u; c++) { sum += s[c]; }
  // Never true, and unknown to the compiler.
  if (sum.x + sum.y + sum.z + sum.w == 12345.678) { b[0] = sum; }
}

@compute @workgroup_size(1)
fn nothing() {
  if (size.count == 0xffffffffu) { b[0] = a[0]; }
}
`;

/** Four values a vector, two operations a multiply-add. */
const FLOPS_A_ROUND = A_ROUND * 4 * 2;
/** Workgroups that fill any GPU: 256 invocations each. */
const FULL = { software: 64, hardware: 132 * 64 };
const LARGE_BYTES = { software: 2 ** 26, hardware: 2 ** 29 };
/** With as many written, within the caches of the GPUs of this decade. */
const CACHED_BYTES = 2 ** 24;
/** GPUs raise their clock only under load. */
const WARM_UP_MILLISECONDS = 300;

const kernel = (entryPoint: string, chains: number): Kernel => ({
  name: 'limits',
  code: sourceOf(chains),
  entryPoint,
});

/**
 * A fixed piece of arithmetic that a sweep times beside what it measures: when it takes longer than before, the GPU
 * has lowered its clock or works for somebody else. Returns its nanoseconds.
 */
export async function createClockProbe(gpu: Gpu, timer: GpuTimer) {
  const values = createStorage(gpu, 'clock probe', 64);
  const sum = createStorage(gpu, 'clock probe sum', 64);
  const [workgroups, rounds] = gpu.adapter.software ? [8, 16] : [132 * 8, 128];
  const program = await recordProgram(gpu, 'clock probe', (recorder) =>
    recorder.dispatch({
      kernel: kernel('multiply_add', CHAINS[0]!),
      label: 'clock probe',
      uniforms: { count: 0, rounds },
      bindings: [values, sum],
      workgroups: [workgroups],
    }),
  );
  return {
    time: () => timer.span(program),
    destroy() {
      program.destroy();
      gpu.destroyBuffer(values.buffer);
      gpu.destroyBuffer(sum.buffer);
    },
  };
}

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
    {
      count,
      rounds,
      workgroups,
      repeats,
      chains = CHAINS[0]!,
    }: Record<'count' | 'rounds' | 'workgroups' | 'repeats', number> & { chains?: number },
  ) => {
    const program = await recordProgram(gpu, entryPoint, (recorder) =>
      recorder.dispatch({
        kernel: kernel(entryPoint, chains),
        label: entryPoint,
        uniforms: { count, rounds },
        bindings: [entryPoint === 'multiply_add' ? small : from, to],
        workgroups: [workgroups],
      }),
    );
    const warmUpEnd = performance.now() + (gpu.adapter.software ? 0 : WARM_UP_MILLISECONDS);
    do await timer.span(program, repeats);
    while (performance.now() < warmUpEnd);
    const nanoseconds = (await least(times, () => timer.span(program, repeats))) / repeats;
    program.destroy();
    return nanoseconds;
  };

  try {
    const rounds = gpu.adapter.software ? 256 : 2048;
    const workgroups = FULL[kind];
    let multiplyAdd = Infinity;
    for (const chains of CHAINS) {
      const work = { count: 0, rounds, workgroups, repeats: 1, chains };
      multiplyAdd = Math.min(multiplyAdd, await dispatch('multiply_add', work));
    }
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
