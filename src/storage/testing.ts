import type { RunFolder } from './run-store';

/** For tests: what a process that was killed in the middle of its work throws at itself. */
export class Died extends Error {}

/**
 * For tests: a folder whose owner dies at its `operation`-th change, counted from 0. It had not begun, was
 * half done (only what is appended can be: `write` is whole or absent) or was done but not yet answered.
 */
export function dyingFolder(
  folder: RunFolder,
  operation: number,
  when: 'before' | 'half' | 'after',
): RunFolder {
  let left = operation;
  const change = async (task: () => Promise<void>, half?: () => Promise<void>) => {
    if (left-- > 0) return task();
    if (left < -1) throw new Died('It is dead already.');
    if (when === 'after') await task();
    if (when === 'half') await half?.();
    throw new Died(`It died ${when} its change ${operation}.`);
  };
  return {
    ...folder,
    write: (name, bytes) => change(() => folder.write(name, bytes)),
    append: (name, bytes) =>
      change(
        () => folder.append(name, bytes),
        () => folder.append(name, bytes.subarray(0, bytes.length >> 1)),
      ),
    flush: (name) => change(() => folder.flush(name)),
    truncate: (name, length) => change(() => folder.truncate(name, length)),
    delete: (name) => change(() => folder.delete(name)),
  };
}

/** For tests: changes one byte of a file. */
export async function flipByte(folder: RunFolder, name: string, at: number): Promise<void> {
  const bytes = (await folder.read(name))!;
  bytes[at]! ^= 1 << (at % 8);
  await folder.write(name, bytes);
}
