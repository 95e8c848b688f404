import { z } from 'zod';
import { checked, parseJson, refuse, wholeNumber } from '../formats/refusal';
import { parseSafetensors, writeSafetensors } from '../formats/safetensors';
import { sha256Of } from '../formats/sha256';
import { StorageFullError } from './errors';
import { exactJson } from './exact-json';
import type { RunFiles, RunFolder } from './run-store';

/** What a run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Plain JSON; of a checkpoint that was read it is not checked yet. */
  state: unknown;
  tensors: Map<string, Float32Array>;
}

export interface FoundCheckpoint {
  /** The newest one that is whole; null where there is none. */
  checkpoint: Checkpoint | null;
  /** A sentence for each newer one that is damaged. */
  problems: string[];
}

/** Of a file: what must be found when it is read back. The hash is null where it could not be computed. */
const digest = z.strictObject({
  bytes: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  sha256: z.string().nullable(),
});
/** Written last: a checkpoint without it was never finished. */
const manifestSchema = z.strictObject({
  format: z.literal('shear-lab checkpoint'),
  formatVersion: z.literal(1),
  state: digest,
  tensors: digest,
});
type Manifest = z.infer<typeof manifestSchema>;

const CHECKPOINT_FILE = /^checkpoint-(\d{6,12})\.(?:json|state\.json|safetensors)$/;

function namesOf(generation: number) {
  const stem = `checkpoint-${String(generation).padStart(6, '0')}`;
  return { manifest: `${stem}.json`, state: `${stem}.state.json`, tensors: `${stem}.safetensors` };
}

/**
 * Writes a checkpoint beside the last one, and then deletes what is older than that: at any moment one that
 * is whole can be read. Call it when nothing that the state speaks of is still in flight, after the log was
 * flushed.
 *
 * @throws Error if a value of the state or of a tensor is not finite.
 * @throws StorageFullError; the last checkpoint stays.
 */
export async function writeCheckpoint(
  folder: RunFolder,
  { state, tensors }: { state: unknown; tensors: ReadonlyMap<string, Float32Array> },
): Promise<void> {
  const stateBytes = new TextEncoder().encode(exactJson(state, 'state'));
  const tensorBytes = writeSafetensors(
    new Map([...tensors].map(([name, data]) => [name, { shape: [data.length], data }])),
  );
  const manifest: Manifest = {
    format: 'shear-lab checkpoint',
    formatVersion: 1,
    state: await digestOf(stateBytes),
    tensors: await digestOf(tensorBytes),
  };
  const { finished, newest } = await generationsOf(folder);
  const generation = newest + 1;
  const names = namesOf(generation);
  const write = async () => {
    await folder.write(names.tensors, tensorBytes);
    await folder.write(names.state, stateBytes);
    await folder.write(names.manifest, new TextEncoder().encode(JSON.stringify(manifest)));
  };
  const last = finished.at(-1);
  try {
    await write();
  } catch (error) {
    await deleteCheckpoints(folder, (other) => other === generation);
    if (!(error instanceof StorageFullError) || finished.length < 2) throw error;
    // The one before the last is spared where there is room.
    await deleteCheckpoints(folder, (other) => other !== last);
    await write();
  }
  await deleteCheckpoints(folder, (other) => other !== last && other !== generation);
}

/** Reads the newest checkpoint whose hashes hold. */
export async function readCheckpoint(files: RunFiles): Promise<FoundCheckpoint> {
  return (await newestWhole(files)).found;
}

/**
 * Reads the newest checkpoint whose hashes hold, for a run that goes on from it: newer ones, which are
 * damaged, are deleted, so that what comes next is never mixed with them.
 */
export async function resumeCheckpoint(folder: RunFolder): Promise<FoundCheckpoint> {
  const { found, generation } = await newestWhole(folder);
  if (found.checkpoint) await deleteCheckpoints(folder, (other) => other > generation);
  return found;
}

async function newestWhole(files: RunFiles): Promise<{ found: FoundCheckpoint; generation: number }> {
  const problems: string[] = [];
  for (const generation of (await generationsOf(files)).finished.reverse()) {
    try {
      return { found: { checkpoint: await readGeneration(files, generation), problems }, generation };
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { found: { checkpoint: null, problems }, generation: 0 };
}

/** @throws InputError in one sentence that names the file. */
async function readGeneration(files: RunFiles, generation: number): Promise<Checkpoint> {
  const names = namesOf(generation);
  const bytes = await files.read(names.manifest);
  const manifest = checked(
    manifestSchema,
    parseJson(bytes ?? new Uint8Array(), names.manifest),
    names.manifest,
  );
  const state = await readWhole(files, names.state, manifest.state);
  const tensors = await readWhole(files, names.tensors, manifest.tensors);
  return {
    state: parseJson(state, names.state),
    tensors: new Map([...parseSafetensors(tensors, names.tensors)].map(([name, { data }]) => [name, data])),
  };
}

async function readWhole(
  files: RunFiles,
  name: string,
  wanted: Manifest['state'],
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await files.read(name);
  if (!bytes) return refuse(name, 'it is missing');
  const found = await digestOf(bytes);
  if (found.bytes !== wanted.bytes)
    refuse(name, `it has ${found.bytes} bytes instead of ${wanted.bytes}: it is damaged`);
  if (found.sha256 !== wanted.sha256 && found.sha256 !== null && wanted.sha256 !== null) {
    refuse(name, 'its bytes are not those that were written: it is damaged');
  }
  return bytes;
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Manifest['state']> {
  return { bytes: bytes.length, sha256: await sha256Of(bytes) };
}

/** Generations of which there is a manifest, oldest first, and the highest number of any file. */
async function generationsOf(files: RunFiles): Promise<{ finished: number[]; newest: number }> {
  const finished: number[] = [];
  let newest = 0;
  for (const { name } of await files.list()) {
    const generation = generationOf(name);
    if (generation === null) continue;
    newest = Math.max(newest, generation);
    if (name === namesOf(generation).manifest) finished.push(generation);
  }
  return { finished: finished.sort((a, b) => a - b), newest };
}

/** The manifest goes first: a checkpoint that is half deleted must not look like a damaged one. */
async function deleteCheckpoints(folder: RunFolder, which: (generation: number) => boolean): Promise<void> {
  const found = (await folder.list()).map(({ name }) => ({ name, generation: generationOf(name) }));
  for (const { name, generation } of found) {
    if (generation === null || !which(generation)) continue;
    await folder.delete(namesOf(generation).manifest);
    await folder.delete(name);
  }
}

function generationOf(name: string): number | null {
  const digits = CHECKPOINT_FILE.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}
