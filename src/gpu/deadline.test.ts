import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBack } from './buffers';
import { DEADLINE_SECONDS, withinDeadline } from './deadline';
import { GpuError, GpuUnavailableError, openGpu } from './device';
import { recordProgram } from './program';

const never = <T>() => new Promise<T>(() => undefined);

/** A WebGPU that does nothing, with what a test wants otherwise. */
function fakeGpu(changed: { adapter?: object; device?: object; buffer?: object } = {}): GPU {
  const buffer = { size: 256, destroy: () => undefined, mapAsync: async () => undefined, ...changed.buffer };
  const device = {
    lost: never(),
    limits: { minUniformBufferOffsetAlignment: 256 },
    queue: { writeBuffer: () => undefined, submit: () => undefined },
    addEventListener: () => undefined,
    createBuffer: () => buffer,
    createShaderModule: () => ({}),
    createComputePipelineAsync: async () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => ({ copyBufferToBuffer: () => undefined, finish: () => ({}) }),
    ...changed.device,
  };
  const adapter = {
    limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 },
    info: { vendor: 'v', architecture: 'a', description: 'd' },
    requestDevice: async () => device,
    ...changed.adapter,
  };
  return { requestAdapter: async () => adapter } as unknown as GPU;
}

/** The error of a promise that is rejected when `seconds` have passed and not before. */
async function failureAfter(seconds: number, promise: Promise<unknown>): Promise<unknown> {
  let failure: unknown = null;
  promise.catch((error: unknown) => (failure = error));
  await vi.advanceTimersByTimeAsync(seconds * 1000 - 1);
  expect(failure).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  return failure;
}

const record = (gpu: Awaited<ReturnType<typeof openGpu>>) =>
  recordProgram(gpu, 'test', (r) =>
    r.dispatch({
      kernel: { name: 'kernel', code: '', entryPoint: 'main' },
      label: 'test',
      uniforms: {},
      bindings: [],
      workgroups: [1],
    }),
  );

describe('a request that is never answered', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('for an adapter ends in a sentence', async () => {
    const api = { requestAdapter: () => never() } as unknown as GPU;
    const failure = await failureAfter(DEADLINE_SECONDS.adapter, openGpu(api));
    expect(failure).toBeInstanceOf(GpuUnavailableError);
    expect(String(failure)).toMatch(/not found a graphics adapter within 60 seconds: restart/);
  });

  it('for a device ends in a sentence, and a device that comes later is given back', async () => {
    const destroy = vi.fn();
    const late = DEADLINE_SECONDS.device * 1000 + 1;
    const requestDevice = () => new Promise((resolve) => setTimeout(() => resolve({ destroy }), late));
    const failure = await failureAfter(
      DEADLINE_SECONDS.device,
      openGpu(fakeGpu({ adapter: { requestDevice } })),
    );
    expect(failure).toBeInstanceOf(GpuUnavailableError);
    expect(String(failure)).toMatch(/gave no device \(none within 60 seconds\)/);
    await vi.advanceTimersByTimeAsync(1);
    expect(destroy).toHaveBeenCalledOnce();
  });

  it('for a pipeline ends in a sentence that names the kernel', async () => {
    const gpu = await openGpu(fakeGpu({ device: { createComputePipelineAsync: () => never() } }));
    const failure = await failureAfter(DEADLINE_SECONDS.pipeline, record(gpu));
    expect(failure).toBeInstanceOf(GpuError);
    expect(String(failure)).toMatch(/not compiled kernel.main within 10 minutes/);
  });

  it('for a read ends in a sentence', async () => {
    const gpu = await openGpu(fakeGpu({ buffer: { mapAsync: () => never() } }));
    const slice = { buffer: {} as GPUBuffer, offset: 0, size: 4 };
    const failure = await failureAfter(DEADLINE_SECONDS.read, readBack(gpu, slice));
    expect(failure).toBeInstanceOf(GpuError);
    expect(String(failure)).toMatch(/not finished its work within 10 minutes/);
    expect(gpu.heldBytes()).toBe(0);
  });

  it('leaves no timer behind when it is answered', async () => {
    await expect(withinDeadline(Promise.resolve(3), 1, () => new Error('late'))).resolves.toBe(3);
    await expect(withinDeadline(Promise.reject(new Error('no')), 1, () => new Error('late'))).rejects.toThrow(
      'no',
    );
    await Promise.resolve();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what was refused once', () => {
  it('is asked for again: an adapter', async () => {
    const { requestAdapter } = fakeGpu();
    const answers = [async () => null, requestAdapter];
    const api = { requestAdapter: () => answers.shift()!() } as unknown as GPU;
    await expect(openGpu(api)).rejects.toThrow(/no graphics adapter/);
    await expect(openGpu(api)).resolves.toHaveProperty('adapter.vendor', 'v');
  });

  it('is asked for again: a pipeline, which is then kept', async () => {
    const compile = vi
      .fn()
      .mockRejectedValueOnce(new Error('out of memory'))
      .mockResolvedValue({ getBindGroupLayout: () => ({}) });
    const gpu = await openGpu(fakeGpu({ device: { createComputePipelineAsync: compile } }));
    await expect(record(gpu)).rejects.toThrow('out of memory');
    await record(gpu);
    await record(gpu);
    expect(compile).toHaveBeenCalledTimes(2);
  });
});
