import { resumeCheckpoint, writeCheckpoint } from './checkpoint';
import { logPositionSchema, openLog, readLines } from './log';
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

/** For tests: what a run that was killed found when it was taken up again, and then each step that is safe. */
export type WorkReport =
  { resumed: number; problems: string[]; lines: string[]; same: boolean } | { safe: number };

/** For tests: takes a run up and works on it, a line and a checkpoint a step, until somebody kills it. */
export async function workUntilKilled(
  folder: RunFolder,
  tensorLength: number,
  report: (found: WorkReport) => void,
): Promise<never> {
  const weightsAt = (step: number) =>
    Float32Array.from({ length: tensorLength }, (_, i) => Math.fround(step + i / 7));
  const { checkpoint, problems } = await resumeCheckpoint(folder);
  const { step: start, position } = (checkpoint?.state ?? { step: 0 }) as {
    step: number;
    position?: unknown;
  };
  const log = await openLog(folder, position ? logPositionSchema.parse(position) : { lines: 0, frames: 0 });
  const lines: string[] = [];
  for await (const line of readLines(folder)) lines.push(line);
  const wanted = weightsAt(start);
  const weights = checkpoint?.tensors.get('weights') ?? wanted;
  report({ resumed: start, problems, lines, same: weights.every((value, i) => value === wanted[i]) });
  for (let step = start + 1; ; step++) {
    await log.append([`{"step":${step}}`]);
    const state = { step, position: await log.flush() };
    await writeCheckpoint(folder, { state, tensors: new Map([['weights', weightsAt(step)]]) });
    report({ safe: step });
  }
}
