import { closedFolder, noSuchRun, RunInUseError, storageFull, tooShort } from './errors';
import {
  changedRecord,
  checkFileName,
  newestFirst,
  newRecord,
  type KeptRun,
  type RunRecord,
} from './kept-run';
import type { FileSize, RunFiles, RunFolder, RunStore } from './run-store';

interface MemoryFile {
  /** Joined when read: appending to one array would copy all of it each time. */
  parts: Uint8Array[];
  size: number;
}

interface MemoryRun {
  record: RunRecord;
  files: Map<string, MemoryFile>;
  held: boolean;
}

/**
 * Runs in memory: for a browser that keeps nothing, and for tests.
 *
 * @param notice what the user is told about it, as one sentence.
 * @param quota bytes that all files together may take.
 */
export function openMemoryStore(notice: string, quota = Infinity): RunStore {
  const runs = new Map<string, MemoryRun>();
  const listeners = new Set<() => void>();
  const changed = () => listeners.forEach((listener) => listener());

  const find = (id: string): MemoryRun => {
    const run = runs.get(id);
    if (!run) throw noSuchRun(id);
    return run;
  };
  const usage = () => ({
    used: [...runs.values()].reduce((sum, { files }) => sum + bytesOf(files), 0),
    quota: quota === Infinity ? null : quota,
  });
  const kept = (): KeptRun[] =>
    [...runs.values()]
      .map(({ record, files, held }) => ({ ...record, bytes: bytesOf(files), inUse: held }))
      .sort(newestFirst);
  const makeRoom = (bytes: number) => {
    if (usage().used + bytes > quota) throw storageFull('The memory of this page', usage(), kept());
  };
  const hold = (id: string): RunFolder => {
    const run = find(id);
    if (run.held) throw new RunInUseError('This run is open elsewhere: close it there first.');
    const setHeld = (held: boolean) => {
      run.held = held;
      changed();
    };
    setHeld(true);
    return openFolder(id, run.files, makeRoom, () => setHeld(false));
  };

  return {
    persistent: false,
    notice,
    list: async () => structuredClone({ runs: kept(), damaged: [] }),
    create: async (run) => {
      const record = newRecord(run);
      runs.set(record.id, { record: structuredClone(record), files: new Map(), held: false });
      return hold(record.id);
    },
    open: async (id) => hold(id),
    files: async (id) => filesOf(id, find(id).files),
    update: async (id, change) => {
      const run = find(id);
      run.record = structuredClone(changedRecord(run.record, change));
      changed();
    },
    remove: async (id) => {
      if (find(id).held) throw new RunInUseError('This run is open: close it before it is deleted.');
      runs.delete(id);
      changed();
    },
    usage: async () => usage(),
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => undefined,
  };
}

function openFolder(
  id: string,
  files: MemoryRun['files'],
  makeRoom: (bytes: number) => void,
  letGo: () => void,
): RunFolder {
  let open = true;
  const usable = (name: string): string => {
    if (!open) throw closedFolder();
    return checkFileName(name);
  };
  const { list, read } = filesOf(id, files);
  return {
    id,
    list,
    read,
    write: async (name, bytes) => {
      makeRoom(bytes.length - (files.get(usable(name))?.size ?? 0));
      files.set(name, { parts: [bytes.slice()], size: bytes.length });
    },
    append: async (name, bytes) => {
      const file = files.get(usable(name)) ?? { parts: [], size: 0 };
      makeRoom(bytes.length);
      file.parts.push(bytes.slice());
      file.size += bytes.length;
      files.set(name, file);
    },
    flush: async (name) => void usable(name),
    truncate: async (name, length) => {
      const file = files.get(usable(name)) ?? { parts: [], size: 0 };
      if (file.size < length) throw tooShort(name, file.size, length);
      file.parts = [joined(file).slice(0, length)];
      file.size = file.parts[0]!.length;
    },
    delete: async (name) => void files.delete(usable(name)),
    close: async () => {
      if (open) letGo();
      open = false;
    },
  };
}

function filesOf(id: string, files: ReadonlyMap<string, MemoryFile>): RunFiles {
  return {
    id,
    list: async () =>
      [...files]
        .map(([name, { size }]): FileSize => ({ name, size }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: async (name, from = 0, to = Infinity) => {
      const file = files.get(checkFileName(name));
      return file ? joined(file).slice(from, to) : null;
    },
  };
}

function joined(file: MemoryFile): Uint8Array<ArrayBuffer> {
  if (file.parts.length !== 1) {
    const whole = new Uint8Array(file.size);
    let offset = 0;
    for (const part of file.parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    file.parts = [whole];
  }
  return file.parts[0] as Uint8Array<ArrayBuffer>;
}

function bytesOf(files: ReadonlyMap<string, MemoryFile>): number {
  return [...files.values()].reduce((sum, { size }) => sum + size, 0);
}
