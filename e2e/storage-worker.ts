import { openPageStore } from '../src/storage/page-store';
import { RUN_STORE_CONTRACT, someRun } from '../src/storage/run-store.contract';
import type { RunFolder } from '../src/storage/run-store';
import { workUntilKilled } from '../src/storage/testing';

// What e2e/storage.spec.ts asks of the storage in a worker of a real browser: bundled for that test only.

const opened = openPageStore();
let folder: RunFolder | null = null;

const TASKS = {
  contract: async (name: string) => {
    const store = await openPageStore(`contract-${crypto.randomUUID()}`);
    if (!store.persistent) throw new Error('the browser refused storage');
    await RUN_STORE_CONTRACT.find((found) => found.name === name)!.check(store);
    await store.close();
  },
  about: async () => {
    const { persistent, notice } = await opened;
    return { persistent, notice };
  },
  list: async () => (await opened).list(),
  update: async (id: string, change: { name?: string; status?: 'finished' }) =>
    (await opened).update(id, change),
  create: async (name: string) => {
    folder = await (await opened).create(someRun({ name }));
    return folder.id;
  },
  open: async (id: string) => {
    folder = await (await opened).open(id);
  },
  write: async (name: string, length: number) => folder!.write(name, new Uint8Array(length).fill(7)),
  append: async (name: string, length: number) => folder!.append(name, new Uint8Array(length).fill(7)),
  files: async () => folder!.list(),
  close: async () => folder!.close(),
  remove: async (id: string) => (await opened).remove(id),
  watch: async () => (await opened).watch(() => postMessage({ changed: true })),
  /** Never ends: says each step that is safe, and is killed meanwhile. */
  work: async (length: number) => workUntilKilled(folder!, length, (found) => postMessage(found)),
};

interface Call {
  id: number;
  task: keyof typeof TASKS;
  parameters: never[];
}

onmessage = ({ data }: MessageEvent<Call>) => {
  const task = TASKS[data.task] as (...parameters: never[]) => Promise<unknown>;
  void task(...data.parameters).then(
    (value) =>
      postMessage({ id: data.id, value: typeof value === 'function' ? null : structuredClone(value) }),
    (error: Error) => postMessage({ id: data.id, error: { name: error.name, message: error.message } }),
  );
};
