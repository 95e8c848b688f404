import { UNIFORM_USAGE, type Slice } from './buffers';
import type { Gpu, KernelProfile } from './device';

/** One WGSL entry point. `code` is final: `$NAME` places have been filled by `fillTemplate`. */
export interface Kernel {
  name: string;
  code: string;
  entryPoint: string;
}

/**
 * One dispatch as a kernel's host function describes it.
 *
 * `uniforms` becomes binding 0 (32-bit words; floats go in through `asWord`), `bindings` become
 * bindings 1, 2, … in order. `workgroups` beyond 65,535 in x must have been folded into y by the caller.
 */
export interface DispatchDescription {
  kernel: Kernel;
  label: string;
  uniforms: readonly number[];
  bindings: readonly Slice[];
  workgroups: readonly [number, number?, number?];
}

/** Collects dispatches; kernels' host functions append to it. */
export interface Recorder {
  /** Which variant of its kernels a host function takes. */
  profile: KernelProfile;
  dispatch(description: DispatchDescription): void;
}

/** A fixed list of dispatches with all their bindings made: replayed as often as wanted. */
export interface Program {
  label: string;
  dispatches: readonly {
    label: string;
    pipeline: GPUComputePipeline;
    bindGroup: GPUBindGroup;
    workgroups: readonly [number, number, number];
  }[];
  destroy(): void;
}

const MAX_WORKGROUPS = 65_535;

/** The bits of a float as the 32-bit word that a uniform list takes. */
export function asWord(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return view.getUint32(0, true);
}

/** Folds a one-dimensional count of workgroups into two; the shader uses `wg.y * num.x + wg.x`. */
export function foldWorkgroups(count: number): [number, number] {
  if (count <= MAX_WORKGROUPS) return [count, 1];
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y];
}

/** Fills `$NAME` places of a WGSL template. @throws if a place has no value, or a value no place. */
export function fillTemplate(template: string, values: Readonly<Record<string, number | string>>): string {
  const used = new Set<string>();
  const filled = template.replace(/\$([A-Z][A-Z0-9_]*)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`WGSL template has no value for $${name}`);
    used.add(name);
    return String(value);
  });
  for (const name of Object.keys(values)) {
    if (!used.has(name)) throw new Error(`WGSL template has no place for $${name}`);
  }
  return filled;
}

const pipelineCaches = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

/** Pipelines depend on code and entry point only, never on a shape: no slider compiles a shader. */
function pipelineOf(gpu: Gpu, kernel: Kernel): Promise<GPUComputePipeline> {
  let cache = pipelineCaches.get(gpu.device);
  if (!cache) pipelineCaches.set(gpu.device, (cache = new Map<string, Promise<GPUComputePipeline>>()));
  const key = `${kernel.entryPoint}\n${kernel.code}`;
  let pipeline = cache.get(key);
  if (!pipeline) {
    const module = gpu.device.createShaderModule({ label: kernel.name, code: kernel.code });
    pipeline = gpu.device.createComputePipelineAsync({
      label: `${kernel.name}.${kernel.entryPoint}`,
      layout: 'auto',
      compute: { module, entryPoint: kernel.entryPoint },
    });
    cache.set(key, pipeline);
  }
  return pipeline;
}

/**
 * Records what `build` dispatches into a replayable program: compiles pipelines (in parallel, cached),
 * packs all uniforms into one buffer, makes every bind group once.
 */
export async function recordProgram(
  gpu: Gpu,
  label: string,
  build: (recorder: Recorder) => void,
): Promise<Program> {
  const descriptions: DispatchDescription[] = [];
  build({ profile: gpu.profile, dispatch: (description) => descriptions.push(description) });

  const pipelines = await Promise.all(descriptions.map((d) => pipelineOf(gpu, d.kernel)));
  const stride = gpu.device.limits.minUniformBufferOffsetAlignment;
  const words = new Uint32Array((Math.max(1, descriptions.length) * stride) / 4);
  descriptions.forEach((d, i) => {
    if (d.uniforms.length * 4 > stride) throw new Error(`${d.label}: more than ${stride} bytes of uniforms`);
    if (!d.workgroups.every((count) => (count ?? 1) <= MAX_WORKGROUPS)) {
      throw new Error(`${d.label}: ${d.workgroups.join(' × ')} workgroups are more than WebGPU allows`);
    }
    words.set(d.uniforms, (i * stride) / 4);
  });
  const uniforms = gpu.createBuffer(`${label} uniforms`, words.byteLength, UNIFORM_USAGE);
  gpu.device.queue.writeBuffer(uniforms, 0, words);

  const dispatches = descriptions.map((d, i) => {
    const pipeline = pipelines[i]!;
    const [x, y = 1, z = 1] = d.workgroups;
    const own = { buffer: uniforms, offset: i * stride, size: stride };
    const bound = d.uniforms.length > 0 ? [own, ...d.bindings] : [...d.bindings];
    const first = d.uniforms.length > 0 ? 0 : 1;
    const bindGroup = gpu.device.createBindGroup({
      label: d.label,
      layout: pipeline.getBindGroupLayout(0),
      entries: bound.map((slice, b) => ({
        binding: first + b,
        resource: { buffer: slice.buffer, offset: slice.offset, size: slice.size },
      })),
    });
    return { label: d.label, pipeline, bindGroup, workgroups: [x, y, z] as const };
  });
  return { label, dispatches, destroy: () => gpu.destroyBuffer(uniforms) };
}

/** Appends a program's dispatches to an encoder as one compute pass. */
function encodeProgram(gpu: Gpu, encoder: GPUCommandEncoder, program: Program): void {
  const pass = encoder.beginComputePass({ label: program.label });
  let current: GPUComputePipeline | null = null;
  for (const { pipeline, bindGroup, workgroups } of program.dispatches) {
    if (pipeline !== current) pass.setPipeline((current = pipeline));
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
  pass.end();
  gpu.counters.dispatches += program.dispatches.length;
}

/** Runs programs in order as one submit. */
export function submitPrograms(
  gpu: Gpu,
  programs: readonly Program[],
  after?: (encoder: GPUCommandEncoder) => void,
): void {
  const encoder = gpu.device.createCommandEncoder();
  for (const program of programs) encodeProgram(gpu, encoder, program);
  after?.(encoder);
  gpu.device.queue.submit([encoder.finish()]);
  gpu.counters.submits++;
}
