import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

interface Records extends DBSchema {
  /** Not yet known to be records: another version of the lab may have written them. */
  runs: { key: string; value: { id: string } };
}

export interface PageRecords {
  all(): Promise<{ id: string }[]>;
  has(id: string): Promise<boolean>;
  put(record: { id: string }): Promise<void>;
  /** In one transaction, so that two tabs lose none of each other's changes. */
  change(id: string, change: (record: { id: string }) => { id: string }): Promise<void>;
  delete(id: string): Promise<void>;
  close(): Promise<void>;
}

/** The records of runs in an IndexedDB database. @throws whatever the browser says if it keeps none. */
export async function openPageRecords(name: string): Promise<PageRecords> {
  let opened: Promise<IDBPDatabase<Records>> | null = null;
  /** Opened anew after the browser or a newer lab in another tab had it closed. */
  const database = (): Promise<IDBPDatabase<Records>> => {
    opened ??= openDB<Records>(name, 1, {
      upgrade: (created) => void created.createObjectStore('runs', { keyPath: 'id' }),
      blocking: () => void close(),
      terminated: () => (opened = null),
    });
    return opened;
  };
  const close = async () => {
    const last = opened;
    opened = null;
    (await last)?.close();
  };
  await database();
  return {
    all: async () => (await database()).getAll('runs'),
    has: async (id) => (await (await database()).getKey('runs', id)) !== undefined,
    put: async (record) => void (await (await database()).put('runs', record)),
    change: async (id, change) => {
      const transaction = (await database()).transaction('runs', 'readwrite');
      try {
        const record = await transaction.store.get(id);
        if (record) await transaction.store.put(change(record));
      } catch (error) {
        transaction.abort();
        await transaction.done.catch(() => undefined);
        throw error;
      }
      await transaction.done;
    },
    delete: async (id) => (await database()).delete('runs', id),
    close,
  };
}
