import type { DamagedRun, KeptRun, NewRun, RunChange } from './kept-run';

export interface FileSize {
  name: string;
  /** Bytes. */
  size: number;
}

/** The files of a run, read without holding it: its owner may add to them at the same time. */
export interface RunFiles {
  /** The run's identifier; of a folder that the user named, its path. */
  readonly id: string;
  /** By name. */
  list(): Promise<FileSize[]>;
  /** The bytes from `from` up to `to`, cut at the file's end; null where there is no such file. */
  read(name: string, from?: number, to?: number): Promise<Uint8Array<ArrayBuffer> | null>;
}

/**
 * The files of a run that is held: nobody else can open it until `close`. Calls take effect in the order in
 * which they are made. Names are those that `checkFileName` allows.
 *
 * @throws StorageFullError, StorageError in one sentence.
 */
export interface RunFolder extends RunFiles {
  /** Whole or absent: a temporary file, flushed, then renamed. What stood there before is replaced. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Adds to the end of a file, which is made if need be. Survives a power failure only after `flush`. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  flush(name: string): Promise<void>;
  /** Keeps the first `length` bytes. @throws StorageError if there are fewer. */
  truncate(name: string, length: number): Promise<void>;
  /** No error where there is no such file. */
  delete(name: string): Promise<void>;
  /** Flushes what was appended and lets the run go. The second time it does nothing. */
  close(): Promise<void>;
}

export interface RunList {
  /** Newest first. */
  runs: KeptRun[];
  /** Those whose record cannot be read. */
  damaged: DamagedRun[];
}

export interface Usage {
  /** Bytes that this lab takes. */
  used: number;
  /** Bytes that it may take, where that is known. */
  quota: number | null;
}

/**
 * The runs kept on this machine.
 *
 * @throws StorageError for an identifier that no run has.
 */
export interface RunStore {
  /** False: in memory only, gone with the tab. */
  readonly persistent: boolean;
  /** Why runs do not persist, as one sentence for the user; null where they do. */
  readonly notice: string | null;
  list(): Promise<RunList>;
  /** Notes a new run and opens its folder. */
  create(run: NewRun): Promise<RunFolder>;
  /** @throws RunInUseError while somebody else holds it. */
  open(id: string): Promise<RunFolder>;
  /** To show, measure or export a run, also one that is in use. */
  files(id: string): Promise<RunFiles>;
  /** Changes the record, also of a run that is in use. */
  update(id: string, change: RunChange): Promise<void>;
  /** Deletes a run with its files, also a damaged one. @throws RunInUseError */
  remove(id: string): Promise<void>;
  usage(): Promise<Usage>;
  /** Calls back after the list changed, here or in another tab. Returns how to end that. */
  watch(listener: () => void): () => void;
  /** Lets go of what the store itself holds open; folders are closed on their own. */
  close(): Promise<void>;
}
