import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseJson, refuse } from '../formats/refusal';
import { noSuchRun, RunInUseError, storageFull } from './errors';
import {
  changedRecord,
  isFileName,
  newestFirst,
  newRecord,
  parseRecord,
  type DamagedRun,
  type KeptRun,
  type RunRecord,
} from './kept-run';
import { explained, openRunFolder, readBytes, readRunFolder, writeWhole } from './node-folder';
import { isHeld } from './node-lock';
import { createQueue } from './queue';
import type { RunFiles, RunList, RunStore, Usage } from './run-store';

/** In the folder of a run; no name that the run's own files can have. */
const RECORD_FILE = '.record.json';
const REMOVED = '.removed-';

/** Runs in a folder of the file system, each in a folder of its own. @throws StorageError */
export async function openNodeStore(root: string): Promise<RunStore> {
  const listeners = new Set<() => void>();
  const changed = () => listeners.forEach((listener) => listener());
  const inOrder = createQueue();
  const folderOf = (id: string) => {
    if (!isFileName(id)) throw noSuchRun(id);
    return join(root, id);
  };
  const whenFull = async () => storageFull(`The disk of ${root}`, await usage(), (await list()).runs);
  const plainly = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      return await task();
    } catch (error) {
      throw await explained(error, root, whenFull);
    }
  };
  const writeRecord = (record: RunRecord) =>
    plainly(() => writeWhole(folderOf(record.id), RECORD_FILE, jsonBytes(record)));

  const list = async (): Promise<RunList> => {
    const runs: KeptRun[] = [];
    const damaged: DamagedRun[] = [];
    for (const entry of await readdir(root, { withFileTypes: true })) {
      if (!entry.isDirectory() || !isFileName(entry.name)) continue;
      const files = readRunFolder(folderOf(entry.name), entry.name);
      const bytes = await bytesOf(files);
      try {
        const record = await readRecord(folderOf(entry.name));
        runs.push({ ...record, bytes, inUse: await isHeld(folderOf(entry.name)) });
      } catch (error) {
        damaged.push({ id: entry.name, problem: (error as Error).message, bytes });
      }
    }
    return { runs: runs.sort(newestFirst), damaged };
  };
  const usage = async (): Promise<Usage> => {
    const { runs, damaged } = await list();
    return { used: [...runs, ...damaged].reduce((sum, { bytes }) => sum + bytes, 0), quota: null };
  };
  const existing = async (id: string): Promise<RunFiles> => {
    const files = readRunFolder(folderOf(id), id);
    await files.list().catch(() => {
      throw noSuchRun(id);
    });
    return files;
  };
  const hold = async (id: string) => {
    const folder = await openRunFolder(folderOf(id), whenFull, id);
    changed();
    const close = async () => {
      await folder.close();
      changed();
    };
    return { ...folder, close };
  };

  await plainly(async () => {
    await mkdir(root, { recursive: true });
    // What a killed process had begun to delete.
    for (const name of await readdir(root)) {
      if (name.startsWith(REMOVED)) await rm(join(root, name), { recursive: true, force: true });
    }
  });
  return {
    persistent: true,
    notice: null,
    list,
    create: async (run) => {
      const record = newRecord(run);
      await plainly(() => mkdir(folderOf(record.id)));
      await writeRecord(record);
      return hold(record.id);
    },
    open: async (id) => {
      await existing(id);
      return hold(id);
    },
    files: existing,
    update: (id, change) =>
      inOrder(async () => {
        await existing(id);
        await writeRecord(changedRecord(await readRecord(folderOf(id)), change));
        changed();
      }),
    remove: (id) =>
      inOrder(async () => {
        await existing(id);
        if (await isHeld(folderOf(id))) {
          throw new RunInUseError(`Run ${id} is in use: end that before it is deleted.`);
        }
        const removed = join(root, `${REMOVED}${id}`);
        await plainly(async () => {
          await rename(folderOf(id), removed);
          await rm(removed, { recursive: true, force: true });
        });
        changed();
      }),
    usage,
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => listeners.clear(),
  };
}

async function readRecord(folder: string): Promise<RunRecord> {
  const bytes = await readBytes(join(folder, RECORD_FILE));
  if (!bytes) return refuse('run record', 'it is missing');
  const record = parseRecord(parseJson(bytes, 'run record'));
  if (record.id !== basename(folder)) refuse('run record', 'it belongs to another run');
  return record;
}

async function bytesOf(files: RunFiles): Promise<number> {
  return (await files.list()).reduce((sum, { size }) => sum + size, 0);
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
}
