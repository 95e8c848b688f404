/** What the adapter says of itself, for the page, the exports and the decision what can run. */
export interface AdapterDescription {
  vendor: string;
  architecture: string;
  description: string;
  /** True for SwiftShader, llvmpipe and WARP: correct, slow, and never quoted as a GPU's speed. */
  software: boolean;
}

/**
 * Which variant of a kernel runs: `gpu`, or `software` without workgroup barriers, for adapters that run on the
 * CPU (docs/rejected.md has the figures). Both give the same results up to rounding.
 */
export type KernelProfile = 'gpu' | 'software';

/** A device with the ledger of what it holds. Every buffer of the lab is made by `createBuffer`. */
export interface Gpu {
  device: GPUDevice;
  adapter: AdapterDescription;
  /** What programs are recorded for. */
  profile: KernelProfile;
  /** Bytes of live buffers. */
  heldBytes(): number;
  createBuffer(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer;
  destroyBuffer(buffer: GPUBuffer): void;
  /** @throws GpuError after the first error that nobody caught: what is read back then is not to be trusted. */
  throwOnError(): void;
  /** The message of that error, if there was one. */
  uncapturedError(): string | null;
  /** Submits of command buffers, dispatches in them and mapped reads since the device was opened. */
  counters: { submits: number; dispatches: number; readBacks: number };
}

/** WebGPU refused something that was asked of it; the device's results are worthless from then on. */
export class GpuError extends Error {
  override name = 'GpuError';
}

export class GpuUnavailableError extends Error {
  override name = 'GpuUnavailableError';
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;

/**
 * Opens a device with the limits that every WebGPU device has.
 *
 * @throws GpuUnavailableError in one sentence that a visitor can act on.
 */
export async function openGpu(api: GPU | undefined, onLost?: (reason: string) => void): Promise<Gpu> {
  if (!api) {
    throw new GpuUnavailableError(
      'This browser has no WebGPU: use a current Chrome, Edge, Safari or Firefox to prune; the recorded run plays without it.',
    );
  }
  const adapter = await api.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new GpuUnavailableError(
      'WebGPU found no graphics adapter: switch on hardware acceleration in the browser; the recorded run plays without it.',
    );
  }
  // The bundled models need no more than the default limits; a visitor's own may, so larger buffers are asked
  // for where the adapter has them. Everything else stays at what every device has.
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter
    .requestDevice({ label: 'shear-lab', requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } })
    .catch((error: unknown) => {
      throw new GpuUnavailableError(
        `The graphics adapter gave no device (${String(error)}): close other tabs that use the GPU and reload; the recorded run plays without it.`,
      );
    });
  const { vendor, architecture, description } = adapter.info;
  const isFallback = adapter.info.isFallbackAdapter ?? false;
  const software = isFallback || SOFTWARE.test(`${vendor} ${architecture} ${description}`);

  const live = new Map<GPUBuffer, number>();
  let held = 0;
  let firstError: GpuError | null = null;
  device.addEventListener('uncapturederror', ({ error }) => {
    const outOfMemory = error.constructor.name === 'GPUOutOfMemoryError';
    firstError ??= new GpuError(
      outOfMemory
        ? 'The GPU ran out of memory: choose a smaller batch, context or model.'
        : `WebGPU reported an error: ${error.message.split('\n')[0]}`,
    );
  });
  void device.lost.then((info) => {
    if (info.reason !== 'destroyed') onLost?.(info.message || 'the graphics driver gave no reason');
  });

  return {
    device,
    adapter: { vendor, architecture, description, software },
    profile: software ? 'software' : 'gpu',
    heldBytes: () => held,
    createBuffer(label, size, usage) {
      // WebGPU copies and clears in units of four bytes; an empty binding is not allowed.
      const bytes = Math.max(16, Math.ceil(size / 4) * 4);
      const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
      if (bytes > most) {
        throw new Error(
          `${label} needs ${Math.ceil(bytes / 2 ** 20)} MiB in one piece, more than the ${Math.floor(most / 2 ** 20)} MiB that this GPU allows: choose a smaller batch, context or model.`,
        );
      }
      const buffer = device.createBuffer({ label, size: bytes, usage });
      live.set(buffer, bytes);
      held += bytes;
      return buffer;
    },
    destroyBuffer(buffer) {
      const bytes = live.get(buffer);
      if (bytes === undefined) return;
      live.delete(buffer);
      held -= bytes;
      buffer.destroy();
    },
    uncapturedError: () => firstError?.message ?? null,
    throwOnError() {
      if (firstError) throw firstError;
    },
    counters: { submits: 0, dispatches: 0, readBacks: 0 },
  };
}
