import { unzipSync, Zip, ZipDeflate, ZipPassThrough, type UnzipFileInfo } from 'fflate';
import type { OutputFile } from './hugging-face';
import { plain, refuse } from './refusal';

const CHUNK = 8 << 20;
/** Beyond this an archive would need 64-bit fields. */
const MAX_BYTES = 2 ** 32 - 2 ** 20;

/** Weights hardly compress; texts do. */
const STORED = /\.safetensors$/;

/** Fixed, so that equal files give equal archives. */
const TIME = new Date(2000, 0, 1);

/**
 * Packs files into one zip archive, a piece at a time. Gives way to the event loop after every 8 MB, so that
 * a worker that packs a large model still answers.
 *
 * @throws Error if the files have more than 4 GB together.
 */
export async function* zipPieces(files: AsyncIterable<OutputFile>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let pieces: Uint8Array[] = [];
  let failure: Error | null = null;
  const zip = new Zip((error, piece) => {
    if (error) failure = error;
    else pieces.push(piece);
  });
  const taken = () => {
    if (failure) throw failure;
    const ready = pieces as Uint8Array<ArrayBuffer>[];
    pieces = [];
    return ready;
  };
  let total = 0;
  for await (const { name, bytes } of files) {
    total += bytes.length;
    if (total > MAX_BYTES) throw new Error('The files have more than 4 GB, too much for one zip file.');
    const entry = STORED.test(name) ? new ZipPassThrough(name) : new ZipDeflate(name, { level: 6 });
    entry.mtime = TIME;
    zip.add(entry);
    for (let start = 0; start === 0 || start < bytes.length; start += CHUNK) {
      entry.push(bytes.subarray(start, start + CHUNK), start + CHUNK >= bytes.length);
      yield* taken();
      if (bytes.length > CHUNK) await new Promise((resolve) => setTimeout(resolve));
    }
  }
  zip.end();
  yield* taken();
}

/** The same as one array. */
export async function zipFiles(files: readonly OutputFile[]): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const inTurn = (async function* () {
    yield* files;
  })();
  for await (const piece of zipPieces(inTurn)) pieces.push(piece);
  const archive = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    archive.set(piece, offset);
    offset += piece.length;
  }
  return archive;
}

export interface ZipEntry {
  name: string;
  /** Bytes once unpacked, as the archive claims. */
  size: number;
}

/** What an archive's directory lists; nothing is unpacked. @throws InputError if it is none. */
export function listZip(archive: Uint8Array, subject: string): ZipEntry[] {
  const entries: ZipEntry[] = [];
  unpack(archive, subject, ({ name, originalSize }) => {
    entries.push({ name, size: originalSize });
    return false;
  });
  return entries;
}

/**
 * Unpacks one file of an archive.
 *
 * @throws InputError if it is not there, or has not exactly `size` bytes: nothing larger is unpacked.
 */
export function unzipFile(
  archive: Uint8Array,
  { name, size }: ZipEntry,
  subject: string,
): Uint8Array<ArrayBuffer> {
  const found = unpack(archive, subject, (entry) => entry.name === name && entry.originalSize === size)[name];
  if (found?.length !== size) refuse(subject, `${plain(name)} must have ${size} bytes`);
  return found as Uint8Array<ArrayBuffer>;
}

function unpack(
  archive: Uint8Array,
  subject: string,
  filter: (entry: UnzipFileInfo) => boolean,
): Record<string, Uint8Array> {
  try {
    return unzipSync(archive, { filter });
  } catch {
    return refuse(subject, 'must be a zip file: it is cut off or malformed');
  }
}
