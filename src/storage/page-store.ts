import { noSuchRun, RunInUseError, storageFull } from './errors';
import {
  changedRecord,
  isFileName,
  newestFirst,
  newRecord,
  parseRecord,
  type DamagedRun,
  type KeptRun,
} from './kept-run';
import { openMemoryStore } from './memory-store';
import { ifThere, openPageFolder, readPageFolder } from './page-folder';
import { openPageRecords, type PageRecords } from './page-records';
import { bytesOf, totalBytes, type RunList, type RunStore } from './run-store';

/** A tab that was closed a moment ago may still hold its runs. */
const WAIT_FOR_LOCK_MS = 1000;

const NOTICE =
  'This browser keeps no files for this page, perhaps because the window is private: runs are gone when the tab is closed, so export what you want to keep.';

/**
 * The runs that this browser keeps for this origin: records in IndexedDB, files in the origin private file
 * system, one owner through Web Locks, changes told to other tabs through a BroadcastChannel. To be opened in
 * a worker. Where the browser refuses any of that, runs are in memory only and `notice` says so.
 *
 * @param name of the database, the folder, the locks and the channel.
 */
export async function openPageStore(name = 'shear-lab'): Promise<RunStore> {
  try {
    if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return openMemoryStore(NOTICE);
    if (!('move' in FileSystemFileHandle.prototype)) return openMemoryStore(NOTICE);
    const root = await navigator.storage.getDirectory();
    const folders = await root.getDirectoryHandle(name, { create: true });
    return openStore(name, folders, await openPageRecords(name));
  } catch {
    return openMemoryStore(NOTICE);
  }
}

function openStore(name: string, folders: FileSystemDirectoryHandle, records: PageRecords): RunStore {
  const listeners = new Set<() => void>();
  const channel = new BroadcastChannel(name);
  channel.onmessage = () => listeners.forEach((listener) => listener());
  const changed = () => {
    channel.postMessage('changed');
    listeners.forEach((listener) => listener());
  };
  const lockOf = (id: string) => `${name}/${id}`;

  const list = async (): Promise<RunList> => {
    const held = new Set((await navigator.locks.query()).held?.map((lock) => lock.name));
    const runs: KeptRun[] = [];
    const damaged: DamagedRun[] = [];
    const sizes = new Map<string, number>();
    for await (const [id, handle] of folders.entries()) {
      if (handle.kind === 'directory') {
        sizes.set(id, await bytesOf(readPageFolder(handle as FileSystemDirectoryHandle, id)));
      }
    }
    for (const record of await records.all()) {
      const { id } = record;
      const bytes = sizes.get(id) ?? 0;
      sizes.delete(id);
      try {
        runs.push({ ...parseRecord(record), bytes, inUse: held.has(lockOf(id)) });
      } catch (error) {
        damaged.push({ id, problem: (error as Error).message, bytes });
      }
    }
    for (const [id, bytes] of sizes) damaged.push({ id, problem: 'run record: it is missing', bytes });
    return { runs: runs.sort(newestFirst), damaged };
  };
  const usage = async () => totalBytes(await list());
  const plainly = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      return await task();
    } catch (error) {
      if ((error as Error).name !== 'QuotaExceededError') throw error;
      throw storageFull('The storage of this browser', await usage(), (await list()).runs);
    }
  };
  /** Made if need be: a tab may have been closed between noting the run and that. */
  const folderOf = async (id: string) => {
    if (!isFileName(id)) throw noSuchRun(id);
    const create = await records.has(id);
    const folder = await ifThere(folders.getDirectoryHandle(id, { create }));
    if (!folder) throw noSuchRun(id);
    return folder;
  };
  const hold = async (id: string) => {
    const folder = await plainly(() => folderOf(id));
    const release = await holdLock(lockOf(id));
    const letGo = async () => {
      await release();
      changed();
    };
    try {
      const opened = await openPageFolder(folder, id, plainly, letGo);
      changed();
      return opened;
    } catch (error) {
      await letGo();
      throw error;
    }
  };

  return {
    persistent: true,
    notice: null,
    list,
    create: async (run) => {
      const record = newRecord(run);
      await plainly(() => records.put(record));
      return hold(record.id);
    },
    open: hold,
    files: async (id) => readPageFolder(await folderOf(id), id),
    update: async (id, change) => {
      await folderOf(id);
      await plainly(() => records.change(id, (record) => changedRecord(parseRecord(record), change)));
      changed();
    },
    remove: async (id) => {
      await folderOf(id);
      const release = await holdLock(lockOf(id));
      try {
        // First the record: what is left of a folder without one is listed as damaged and can be removed.
        await records.delete(id);
        await folders.removeEntry(id, { recursive: true });
      } finally {
        await release();
      }
      changed();
    },
    usage,
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      channel.close();
      await records.close();
    },
  };
}

/** @returns how to let it go. @throws RunInUseError */
function holdLock(name: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(
      name,
      { signal: AbortSignal.timeout(WAIT_FOR_LOCK_MS) },
      () =>
        new Promise<void>((release) => {
          resolve(async () => {
            release();
            await held;
          });
        }),
    );
    held.catch((error: Error) => {
      const waited = error.name === 'TimeoutError' || error.name === 'AbortError';
      reject(waited ? new RunInUseError('This run is open in another tab: close it there first.') : error);
    });
  });
}
