import type { LabEnvironment } from './environment';

/** Reads files of the site that lies at `baseUrl()`. */
export function createSiteReader(
  baseUrl: () => string,
  fetch: typeof globalThis.fetch,
): LabEnvironment['read'] {
  return async (path, { onProgress, signal } = {}) => {
    try {
      const response = await fetch(new URL(path, baseUrl()), { signal: signal ?? null });
      // A static host may answer a missing file with its start page.
      const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
      if (!response.ok || isPage) throw new Error(`status ${response.status}`);
      if (!response.body || !onProgress) return await response.arrayBuffer();
      return await collect(response.body, Number(response.headers.get('content-length') ?? 0), onProgress);
    } catch (error) {
      // Also for a connection that was cut on the way. The browser's own words name neither file nor fix.
      throw new Error(`The file ${path} could not be loaded: check the connection and try again.`, {
        cause: error,
      });
    }
  };
}

async function collect(
  body: ReadableStream<Uint8Array>,
  total: number,
  onProgress: (loaded: number, total: number) => void,
): Promise<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.byteLength;
    onProgress(loaded, Math.max(total, loaded));
  }
  const bytes = new Uint8Array(loaded);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes.buffer;
}
