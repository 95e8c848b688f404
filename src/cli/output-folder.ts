import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { OutputFile } from '../formats/hugging-face';
import { StorageFullError } from '../storage/errors';
import { explained, writeWhole } from '../storage/node-folder';
import { userPath } from './files';

/** Characters that are written at once. */
const STREAMED = 1 << 20;

/** A folder that a command fills. */
export interface OutputFolder {
  path: string;
  /**
   * Writes files, each whole or not at all, in the order given.
   *
   * @param under a folder in it
   * @throws one sentence, such as for a full disk
   */
  write(files: readonly OutputFile[], under?: string): Promise<void>;
  /** Writes a long text piece by piece, whole or not at all. @throws one sentence, such as for a full disk */
  stream(name: string, pieces: AsyncIterable<string>): Promise<void>;
  /** Removes a file or folder in it, left by an earlier run, if there is one. */
  remove(name: string): Promise<void>;
  /** After a failure: takes the folder away again if this made it and nothing was written. */
  giveBack(): Promise<void>;
}

export interface OutputFolderOptions {
  /** Write into a folder that is not empty; only files of the same names are replaced. */
  force: boolean;
  /** Folders that are read: the output is none of them, nor in them, nor around them. */
  sources: readonly string[];
  /** What will be written at least. */
  bytes: number;
}

/**
 * Makes the folder that --out names and finds what would fail later, before hours are spent.
 *
 * @throws one sentence that names --out and what to do
 */
export async function prepareOutputFolder(
  out: string,
  { force, sources, bytes }: OutputFolderOptions,
): Promise<OutputFolder> {
  const path = userPath(out);
  const place = await realPlace(path);
  for (const source of sources) {
    if (overlap(place, await realpath(source))) {
      throw new Error(`--out ${out} overlaps the source model’s folder ${source}: choose another folder.`);
    }
  }
  const found = await stat(path).catch(() => null);
  if (found && !found.isDirectory()) throw new Error(`--out ${out} is a file: choose another place.`);
  if (found && !force && (await readdir(path)).length > 0) {
    throw new Error(
      `--out ${out} is not empty: choose another folder, or write over the run in it with --force.`,
    );
  }
  const made = await makeWritable(path, out);
  const free = await freeBytes(path);
  if (free < bytes) {
    if (made) await rmdir(path);
    throw new Error(
      `--out ${out} needs ${megabytes(bytes)} MB, but its disk has ${megabytes(free)} MB free: free space, or choose another folder.`,
    );
  }
  return {
    ...openFolder(`--out ${out}`, path),
    async giveBack() {
      // Not empty: something was written, and stays.
      if (made) await rmdir(path).catch(() => undefined);
    },
  };
}

/**
 * The folder of an earlier command, to go on with it.
 *
 * @param part that tells such a folder
 * @throws one sentence that names --resume
 */
export async function reopenOutputFolder(given: string, part: string): Promise<OutputFolder> {
  const path = userPath(given);
  if (!(await stat(join(path, part)).catch(() => null))?.isDirectory()) {
    throw new Error(`--resume ${given} is no folder that prune wrote: it has no folder ${part}.`);
  }
  return { ...openFolder(`--resume ${given}`, path), giveBack: async () => undefined };
}

function openFolder(given: string, path: string): Omit<OutputFolder, 'giveBack'> {
  const plainly = async (folder: string, write: () => Promise<void>) => {
    try {
      await mkdir(folder, { recursive: true });
      await write();
    } catch (error) {
      throw await explained(
        error,
        folder,
        () => new StorageFullError(`The disk of ${given} is full: free space, then go on with --resume.`),
      );
    }
  };
  return {
    path,
    async write(files, under = '') {
      const folder = join(path, under);
      await plainly(folder, async () => {
        for (const { name, bytes } of files) await writeWhole(folder, name, bytes);
      });
    },
    stream: (name, pieces) => plainly(path, () => streamWhole(path, name, pieces)),
    remove: (name) => rm(join(path, name), { recursive: true, force: true }),
  };
}

/** Writes a text under a temporary name as its pieces come, flushes it, and gives it its name. */
async function streamWhole(folder: string, name: string, pieces: AsyncIterable<string>): Promise<void> {
  const temporary = join(folder, `.tmp-${name}`);
  const handle = await open(temporary, 'w');
  try {
    let waiting = '';
    for await (const piece of pieces) {
      waiting += piece;
      if (waiting.length < STREAMED) continue;
      await handle.write(waiting);
      waiting = '';
    }
    await handle.write(waiting);
    await handle.sync();
    await handle.close();
    await rename(temporary, join(folder, name));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Finds before the work what would keep a file from being written after it. A device such as /dev/stdout will do.
 *
 * @throws one sentence that names the option
 */
export async function checkOutputFile(option: string, file: string): Promise<void> {
  const path = userPath(file);
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) throw new Error(`${option} ${file} is a folder: name a file in it.`);
  if (!(await stat(dirname(path)).catch(() => null))?.isDirectory()) {
    throw new Error(`${option} ${file}: there is no folder ${dirname(file)}; make it first.`);
  }
  await access(found ? path : dirname(path), constants.W_OK).catch(() => {
    throw new Error(`${option} ${file} cannot be written to: choose another place, or allow it.`);
  });
}

/** Writes a file whole or not at all. @throws one sentence that names the option */
export async function writeOutputFile(
  option: string,
  file: string,
  content: string | Uint8Array,
): Promise<void> {
  const path = userPath(file);
  const found = await stat(path).catch(() => null);
  try {
    // A device or a pipe is written to, not replaced.
    if (found && !found.isFile()) await writeFile(path, content);
    else {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      await writeWhole(dirname(path), basename(path), bytes);
    }
  } catch (error) {
    throw await explained(
      error,
      `${option} ${file}`,
      () => new StorageFullError(`The disk of ${option} ${file} is full: free space and run it again.`),
    );
  }
}

/** Where a path that may not exist yet would lie, symbolic links resolved. */
async function realPlace(path: string): Promise<string> {
  const real = await realpath(path).catch(() => null);
  if (real !== null) return real;
  const parent = dirname(path);
  return parent === path ? path : join(await realPlace(parent), basename(path));
}

/** Whether one of two folders is the other, or lies in it. */
function overlap(a: string, b: string): boolean {
  const inside = (inner: string, outer: string) => {
    const way = relative(outer, inner);
    return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
  };
  return inside(a, b) || inside(b, a);
}

/** @returns whether the folder was made */
async function makeWritable(path: string, out: string): Promise<boolean> {
  const trial = join(path, `.shear-lab-${process.pid}`);
  try {
    const made = (await mkdir(path, { recursive: true })) !== undefined;
    await writeFile(trial, '');
    await rm(trial);
    return made;
  } catch {
    throw new Error(`--out ${out} is no folder that can be written to: choose another.`);
  }
}

/** Free bytes of a path's disk; infinite where the file system does not say. */
async function freeBytes(path: string): Promise<number> {
  const disk = await statfs(path).catch(() => null);
  return disk && disk.blocks > 0 ? disk.bavail * disk.bsize : Infinity;
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
