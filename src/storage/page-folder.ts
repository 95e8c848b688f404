import { closedFolder, tooShort } from './errors';
import { checkFileName, isFileName } from './kept-run';
import { createQueue } from './queue';
import type { FileSize, RunFiles, RunFolder } from './run-store';

const TEMPORARY = '.tmp-';
/** A file that grows while it is read has to be looked up again. */
const READ_TRIES = 5;

/** In every browser that has WebGPU; TypeScript does not know it yet. */
interface MovableFile extends FileSystemFileHandle {
  /** Gives the file another name in its folder, in place of the file that had it. */
  move(name: string): Promise<void>;
}

/**
 * The folder of a run in the origin private file system, from a worker: only there can files be flushed. The
 * caller holds the run.
 *
 * @param plainly runs a task and says its errors in one sentence.
 */
export async function openPageFolder(
  directory: FileSystemDirectoryHandle,
  id: string,
  plainly: <T>(task: () => Promise<T>) => Promise<T>,
  letGo: () => Promise<void>,
): Promise<RunFolder> {
  await removeTemporaryFiles(directory);
  const files = readPageFolder(directory, id);
  const inOrder = createQueue();
  /** One handle for each file that is appended to, opened when first needed. */
  const logs = new Map<string, FileSystemSyncAccessHandle>();
  let isOpen = true;

  const run = <T>(name: string, task: () => Promise<T>): Promise<T> =>
    inOrder(() => {
      if (!isOpen) throw closedFolder();
      checkFileName(name);
      return plainly(task);
    });
  const logOf = async (name: string): Promise<FileSystemSyncAccessHandle> => {
    const known = logs.get(name);
    if (known) return known;
    const file = await directory.getFileHandle(name, { create: true });
    const handle = await file.createSyncAccessHandle();
    logs.set(name, handle);
    return handle;
  };
  const closeLog = (name: string) => {
    logs.get(name)?.close();
    logs.delete(name);
  };

  return {
    id,
    list: () => inOrder(files.list),
    read: (name, from = 0, to = Infinity) =>
      inOrder(async () => {
        const log = logs.get(name);
        if (!log) return files.read(name, from, to);
        const bytes = new Uint8Array(Math.max(0, Math.min(to, log.getSize()) - from));
        return bytes.subarray(0, log.read(bytes, { at: from }));
      }),
    write: (name, bytes) =>
      run(name, async () => {
        closeLog(name);
        await writeWhole(directory, name, bytes);
      }),
    append: (name, bytes) =>
      run(name, async () => {
        const log = await logOf(name);
        const size = log.getSize();
        try {
          writeAll(log, bytes, size);
        } catch (error) {
          // What full storage still took would stand torn before the next line.
          log.truncate(size);
          throw error;
        }
      }),
    flush: (name) => run(name, async () => (await logOf(name)).flush()),
    truncate: (name, length) =>
      run(name, async () => {
        const log = await logOf(name);
        if (log.getSize() < length) throw tooShort(name, log.getSize(), length);
        log.truncate(length);
      }),
    delete: (name) =>
      run(name, async () => {
        closeLog(name);
        await remove(directory, name);
      }),
    close: () =>
      inOrder(async () => {
        if (!isOpen) return;
        isOpen = false;
        try {
          for (const log of logs.values()) {
            log.flush();
            log.close();
          }
        } finally {
          await letGo();
        }
      }),
  };
}

/** The files of a run's folder, without holding it. */
export function readPageFolder(directory: FileSystemDirectoryHandle, id: string): RunFiles {
  return {
    id,
    list: async () => {
      const sizes: FileSize[] = [];
      for await (const [name, handle] of directory.entries()) {
        if (!isFileName(name) || handle.kind !== 'file') continue;
        const file = await ifThere((handle as FileSystemFileHandle).getFile());
        if (file) sizes.push({ name, size: file.size });
      }
      return sizes.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    read: async (name, from = 0, to = Infinity) => {
      const handle = await ifThere(directory.getFileHandle(checkFileName(name)));
      for (let tries = 1; handle; tries++) {
        const file = await ifThere(handle.getFile());
        if (!file) return null;
        try {
          return new Uint8Array(await file.slice(from, Math.min(to, file.size)).arrayBuffer());
        } catch (error) {
          if (tries === READ_TRIES) throw error;
        }
      }
      return null;
    },
  };
}

/** Writes a file so that the old or the new one is there, whole. */
async function writeWhole(
  directory: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${TEMPORARY}${name}`;
  try {
    const file = (await directory.getFileHandle(temporary, { create: true })) as MovableFile;
    const handle = await file.createSyncAccessHandle();
    try {
      handle.truncate(0);
      writeAll(handle, bytes, 0);
      handle.flush();
    } finally {
      handle.close();
    }
    await file.move(name);
  } catch (error) {
    await remove(directory, temporary);
    throw error;
  }
}

/** @throws QuotaExceededError */
function writeAll(handle: FileSystemSyncAccessHandle, bytes: Uint8Array, at: number): void {
  const written = handle.write(bytes, { at });
  if (written < bytes.length) throw new DOMException('Only a part was written.', 'QuotaExceededError');
}

async function remove(directory: FileSystemDirectoryHandle, name: string): Promise<void> {
  await ifThere(directory.removeEntry(name));
}

async function removeTemporaryFiles(directory: FileSystemDirectoryHandle): Promise<void> {
  for await (const name of directory.keys()) {
    if (name.startsWith(TEMPORARY)) await remove(directory, name);
  }
}

/** Null where there is no such entry. */
export async function ifThere<T>(lookup: Promise<T>): Promise<T | null> {
  return lookup.catch((error: Error) => {
    if (error.name === 'NotFoundError') return null;
    throw error;
  });
}
