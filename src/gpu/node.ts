/** Dawn in Node, for tests and the command line. The real GPU comes first; see scripts/setup for fallbacks. */
export async function nodeGpu(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  return create([]) as unknown as GPU;
}
