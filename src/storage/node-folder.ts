import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { closedFolder, StorageError, StorageFullError, tooShort } from './errors';
import { checkFileName, isFileName } from './kept-run';
import { holdFolder } from './node-lock';
import { createQueue } from './queue';
import type { FileSize, RunFiles, RunFolder } from './run-store';

const TEMPORARY = '.tmp-';

type ErrorWhenFull = () => StorageFullError | Promise<StorageFullError>;

/**
 * Opens the folder of a run, such as the one that `--out` names, and makes it where there is none.
 *
 * @param whenFull the error for a full disk, where more can be said than that.
 * @throws RunInUseError, StorageError
 */
export async function openRunFolder(
  path: string,
  whenFull: ErrorWhenFull = () => diskFull(path),
  id = path,
): Promise<RunFolder> {
  /** File system errors as one sentence. */
  const plainly = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      return await task();
    } catch (error) {
      throw await explained(error, path, whenFull);
    }
  };
  const letGo = await plainly(async () => {
    await mkdir(path, { recursive: true });
    const release = await holdFolder(path);
    await removeTemporaryFiles(path);
    return release;
  });
  const files = readRunFolder(path, id);
  const inOrder = createQueue();
  /** One handle for each file that is appended to, opened when first needed. */
  const logs = new Map<string, FileHandle>();
  let isOpen = true;

  const run = <T>(name: string, task: (name: string) => Promise<T>): Promise<T> =>
    inOrder(() => {
      if (!isOpen) throw closedFolder();
      checkFileName(name);
      return plainly(() => task(name));
    });
  const logOf = async (name: string): Promise<FileHandle> => {
    const known = logs.get(name);
    if (known) return known;
    const handle = await open(join(path, name), 'a');
    logs.set(name, handle);
    await flushFolder(path);
    return handle;
  };
  const closeLog = async (name: string) => {
    await logs.get(name)?.close();
    logs.delete(name);
  };

  return {
    id,
    list: () => inOrder(files.list),
    read: (name, from, to) => inOrder(() => files.read(name, from, to)),
    write: (name, bytes) =>
      run(name, async () => {
        await closeLog(name);
        await writeWhole(path, name, bytes);
      }),
    append: (name, bytes) =>
      run(name, async () => {
        const handle = await logOf(name);
        const { size } = await handle.stat();
        try {
          await handle.appendFile(bytes);
        } catch (error) {
          // What a full disk still took would stand torn before the next line.
          await handle.truncate(size).catch(() => undefined);
          throw error;
        }
      }),
    flush: (name) => run(name, async () => (await logOf(name)).datasync()),
    truncate: (name, length) =>
      run(name, async () => {
        const handle = await logOf(name);
        const { size } = await handle.stat();
        if (size < length) throw tooShort(name, size, length);
        await handle.truncate(length);
      }),
    delete: (name) =>
      run(name, async () => {
        await closeLog(name);
        await rm(join(path, name), { force: true });
      }),
    close: () =>
      inOrder(async () => {
        if (!isOpen) return;
        isOpen = false;
        try {
          for (const handle of logs.values()) {
            await handle.datasync();
            await handle.close();
          }
        } finally {
          await letGo();
        }
      }),
  };
}

/** The files of a run's folder, without holding it. Other files in it are not seen. */
export function readRunFolder(path: string, id = path): RunFiles {
  return {
    id,
    list: async () => {
      const sizes = await Promise.all(
        (await readdir(path)).filter(isFileName).map(async (name): Promise<FileSize | null> => {
          const found = await stat(join(path, name)).catch(() => null);
          return found?.isFile() ? { name, size: found.size } : null;
        }),
      );
      return sizes.filter((file) => file !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    read: async (name, from, to) => readBytes(join(path, checkFileName(name)), from, to),
  };
}

/** Writes a file so that after a power failure the old or the new one is there, whole. */
export async function writeWhole(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, `${TEMPORARY}${name}`);
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await flushFolder(folder);
}

/** An error of the file system as one sentence; another error as it is. */
export async function explained(error: unknown, path: string, whenFull: ErrorWhenFull): Promise<unknown> {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return whenFull();
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new StorageError(`${path} cannot be written to: choose another folder, or allow it.`);
    case 'ENOTDIR':
    case 'EEXIST':
      return new StorageError(`${path} is no folder: choose another place.`);
    default:
      return error;
  }
}

function diskFull(path: string): StorageFullError {
  return new StorageFullError(
    `The disk of ${path} is full: free space, then go on from the last checkpoint.`,
  );
}

/** The bytes of a file from `from` up to `to`, or null where there is none. */
export async function readBytes(
  path: string,
  from = 0,
  to = Infinity,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.max(0, Math.min(to, size) - from));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, from + filled);
      // Cut by its owner meanwhile.
      if (bytesRead === 0) return bytes.slice(0, filled);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(TEMPORARY)) await rm(join(folder, name), { force: true });
  }
}

/** A new name lasts only once its folder is flushed. Windows has no such call and needs none. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
