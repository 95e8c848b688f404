import { createLab } from './lab';
import type { Command, Report } from './protocol';

/** The module worker that owns the GPU device: the page speaks with it through the protocol only. */
const scope = self as unknown as DedicatedWorkerGlobalScope;

/** Where the site's files lie; told by the page in `open`, because a bundled worker may live elsewhere. */
let baseUrl = scope.location.href;

async function read(
  path: string,
  onProgress?: (loaded: number, total: number) => void,
): Promise<ArrayBuffer> {
  const response = await fetch(new URL(path, baseUrl)).catch(() => null);
  // A static host may answer a missing file with its start page.
  const isPage = response?.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (!response?.ok || isPage)
    throw new Error(`The file ${path} could not be loaded: check the connection and try again.`);
  const total = Number(response.headers.get('content-length') ?? 0);
  if (!response.body || !onProgress) return response.arrayBuffer();
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
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

const lab = createLab({
  gpu: scope.navigator.gpu,
  read,
  post: (report: Report, transfer: Transferable[] = []) => scope.postMessage(report, transfer),
});

scope.addEventListener('message', (event: MessageEvent<Command>) => {
  if (event.data.type === 'open') baseUrl = event.data.baseUrl;
  void lab.handle(event.data);
});
