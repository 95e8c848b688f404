/**
 * Opens a WebGPU device as the engine would and prints its adapter as one line of JSON; exit code 1 when
 * there is none. A process of its own, because a broken Vulkan driver takes its process down.
 */
const { create } = await import('webgpu');
const gpu = create([]);
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
const device = await adapter?.requestDevice();
if (device) {
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  process.stdout.write(
    `${JSON.stringify({ vendor, architecture, description, isFallbackAdapter: isFallbackAdapter ?? false })}\n`,
  );
}
// Dawn's threads keep a process alive.
process.exit(device ? 0 : 1);
