import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import type { OutputFile } from './hugging-face';

const CHUNK = 8 << 20;
/** Beyond this an archive would need 64-bit fields. */
const MAX_BYTES = 2 ** 32 - 2 ** 20;

/** Weights hardly compress; texts do. */
const STORED = /\.safetensors$/;

/** Fixed, so that equal files give equal archives. */
const TIME = new Date(2000, 0, 1);

/**
 * Packs files into one zip archive. Gives way to the event loop after every 8 MB, so that a worker that packs
 * a large model still answers.
 *
 * @throws Error if the files have more than 4 GB together.
 */
export async function zipFiles(files: readonly OutputFile[]): Promise<Uint8Array<ArrayBuffer>> {
  const total = files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
  if (total > MAX_BYTES) throw new Error('The model has more than 4 GB, too much for one zip file.');
  const parts: Uint8Array[] = [];
  let failure: Error | null = null;
  const zip = new Zip((error, part) => {
    if (error) failure = error;
    else parts.push(part);
  });
  for (const { name, bytes } of files) {
    const entry = STORED.test(name) ? new ZipPassThrough(name) : new ZipDeflate(name, { level: 6 });
    entry.mtime = TIME;
    zip.add(entry);
    for (let start = 0; start === 0 || start < bytes.length; start += CHUNK) {
      entry.push(bytes.subarray(start, start + CHUNK), start + CHUNK >= bytes.length);
      if (bytes.length > CHUNK) await new Promise((resolve) => setTimeout(resolve));
    }
  }
  zip.end();
  if (failure) throw failure as Error;
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    archive.set(part, offset);
    offset += part.length;
  }
  return archive;
}
