import { z } from 'zod';
import { checked, parseJson, plain, refuse, wholeNumber } from '../formats/refusal';
import { sha256Of } from '../formats/sha256';
import { listZip, unzipFile, zipPieces } from '../formats/zip';
import { fileNameSchema, newRunOf, recordSchema, type RunRecord } from './kept-run';
import type { RunFiles, RunStore } from './run-store';

/** First in the archive; it says what else must be in it. */
const MANIFEST = 'kept-run.json';
const SUBJECT = 'kept run';
const MAX_BYTES = 2 ** 32;
const MAX_MANIFEST = 64e6;

const manifestSchema = z.strictObject({
  format: z.literal('shear-lab kept run'),
  formatVersion: z.literal(1),
  run: recordSchema,
  files: z
    .array(
      z.strictObject({
        name: fileNameSchema,
        size: wholeNumber(0, MAX_BYTES),
        sha256: z.string().nullable(),
      }),
    )
    .max(10_000),
});
type Manifest = z.infer<typeof manifestSchema>;

/**
 * A kept run as one zip file, a piece at a time: its record and all its files, with their hashes. One file
 * at a time is in memory.
 *
 * @throws Error if the run changes meanwhile, or has more than 4 GB.
 */
export async function* exportRun(run: RunRecord, files: RunFiles): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const read = async ({ name, size }: { name: string; size: number }) => {
    const bytes = await files.read(name, 0, size);
    if (bytes?.length === size) return bytes;
    throw new Error(`${name} changed while the run was exported: pause the run, then try again.`);
  };
  const listed: Manifest['files'] = [];
  for (const file of await files.list()) {
    if (file.name === MANIFEST) throw new Error(`A run cannot be exported with a file named ${MANIFEST}.`);
    listed.push({ ...file, sha256: await sha256Of(await read(file)) });
  }
  const manifest: Manifest = {
    format: 'shear-lab kept run',
    formatVersion: 1,
    // Not what else a list says of it, such as whether it is in use.
    run: recordSchema.strip().parse(run),
    files: listed,
  };
  yield* zipPieces(
    (async function* () {
      yield { name: MANIFEST, bytes: new TextEncoder().encode(JSON.stringify(manifest, null, 1)) };
      for (const file of listed) yield { name: file.name, bytes: await read(file) };
    })(),
  );
}

/**
 * Takes in a run that `exportRun` wrote, under a new identifier: names, sizes and hashes are checked, and a
 * run that is not whole leaves nothing behind.
 *
 * @returns the identifier.
 * @throws InputError, StorageFullError
 */
export async function importRun(store: RunStore, archive: Uint8Array): Promise<string> {
  const manifest = readManifest(archive);
  const run = newRunOf(manifest.run);
  // Until it is whole: a tab may be closed meanwhile.
  const folder = await store.create({ ...run, name: 'import that was broken off', status: 'failed' });
  try {
    for (const file of manifest.files) {
      const bytes = unzipFile(archive, file, SUBJECT);
      const hash = await sha256Of(bytes);
      if (hash !== null && file.sha256 !== null && hash !== file.sha256) {
        refuse(SUBJECT, `${file.name} has not the bytes that were exported: the file is damaged`);
      }
      await folder.write(file.name, bytes);
    }
    await folder.close();
    // Nobody works on it here.
    const status = run.status === 'running' ? 'paused' : run.status;
    await store.update(folder.id, { name: run.name, status });
    return folder.id;
  } catch (error) {
    await folder.close();
    await store.remove(folder.id);
    throw error;
  }
}

/** @throws InputError unless the archive has exactly the files that its manifest names. */
function readManifest(archive: Uint8Array): Manifest {
  const entries = listZip(archive, SUBJECT);
  const first = entries.find(({ name }) => name === MANIFEST);
  if (!first) return refuse(SUBJECT, `must be a zip file that holds ${MANIFEST}: export it again`);
  if (first.size > MAX_MANIFEST) refuse(SUBJECT, `${MANIFEST} must have at most ${MAX_MANIFEST / 1e6} MB`);
  const json = parseJson(unzipFile(archive, first, SUBJECT), `${SUBJECT} ${MANIFEST}`);
  const manifest = checked(manifestSchema, json, `${SUBJECT} ${MANIFEST}`);
  const named = new Set(manifest.files.map(({ name }) => name));
  if (named.size < manifest.files.length || named.has(MANIFEST)) {
    refuse(SUBJECT, `${MANIFEST} names a file twice`);
  }
  const stray = entries.find(({ name }) => name !== MANIFEST && !named.has(name));
  if (stray) refuse(SUBJECT, `it holds ${plain(stray.name)}, which ${MANIFEST} does not name`);
  if (manifest.files.reduce((sum, { size }) => sum + size, 0) > MAX_BYTES) {
    refuse(SUBJECT, 'its files must have at most 4 GB together');
  }
  return manifest;
}
