import type { KeptRun } from './kept-run';
import type { Usage } from './run-store';

/** Files cannot be kept or found; the message is one sentence. */
export class StorageError extends Error {
  override name = 'StorageError';
}

/** Another tab or process holds the run; the message is one sentence. */
export class RunInUseError extends StorageError {
  override name = 'RunInUseError';
}

/** There is no room left; the message is one sentence that says what could be deleted. */
export class StorageFullError extends StorageError {
  override name = 'StorageFullError';
}

export function noSuchRun(id: string): StorageError {
  return new StorageError(`No run with the identifier "${id.slice(0, 100)}" is kept here.`);
}

export function closedFolder(): StorageError {
  return new StorageError('The folder of the run is closed.');
}

/** A log has lost bytes that had been flushed: what was noted of it later does not hold. */
export function tooShort(name: string, size: number, wanted: number): StorageError {
  return new StorageError(`${name} has ${size} bytes, fewer than the ${wanted} that it should be cut to.`);
}

/** What was full, how much the lab takes of it, and which finished run could go. */
export function storageFull(
  place: string,
  { used, quota }: Usage,
  runs: readonly KeptRun[],
): StorageFullError {
  const oldest = oldestFinished(runs);
  const taken = `${place} is full: the lab takes ${megabytes(used)}${quota === null ? '' : ` of ${megabytes(quota)}`}`;
  const remedy = oldest
    ? `delete the oldest finished run, "${oldest.name}" (${megabytes(oldest.bytes)}), or free space`
    : 'free space';
  return new StorageFullError(`${taken}; ${remedy}, then go on.`);
}

/** The run to offer for deletion when space is short, or null. */
export function oldestFinished(runs: readonly KeptRun[]): KeptRun | null {
  const finished = runs.filter(({ status, inUse }) => status === 'finished' && !inUse);
  return finished.reduce<KeptRun | null>(
    (oldest, run) => (oldest && oldest.createdAt <= run.createdAt ? oldest : run),
    null,
  );
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
