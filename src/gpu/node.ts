/** Dawn's instance: collected while a device of it lives, it takes the process down (webgpu 0.6.2). */
let instance: GPU | null = null;

/** Dawn in Node, with timestamps as exact as the driver's (browsers round them to 100 µs), for tests and the command line. The real GPU comes first; see scripts/setup for fallbacks. */
export async function nodeGpu(): Promise<GPU> {
  if (instance) return instance;
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return (instance = create(['disable-dawn-features=timestamp_quantization']));
}
