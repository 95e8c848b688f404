import { randomBytes } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { RunInUseError } from './errors';

const LOCK = /^\.lock-(\d+)-[0-9a-f]+$/;

/** Locks of this process: another one with its process id is left from before, as in a restarted container. */
const own = new Set<string>();

/**
 * Holds a folder for this process. A lock is an empty file that names its process. Each process writes its
 * own before it looks for others, so of two at most one goes on; locks of processes that have ended are
 * removed.
 *
 * @returns how to let it go.
 * @throws RunInUseError
 */
export async function holdFolder(folder: string): Promise<() => Promise<void>> {
  const name = `.lock-${process.pid}-${randomBytes(8).toString('hex')}`;
  const letGo = async () => {
    own.delete(name);
    await rm(join(folder, name), { force: true });
  };
  own.add(name);
  try {
    await writeFile(join(folder, name), '', { flag: 'wx' });
    for (const other of await locksOf(folder)) {
      if (other === name) continue;
      if (await isAlive(folder, other)) throw inUse(folder, other);
      await rm(join(folder, other), { force: true });
    }
  } catch (error) {
    await letGo();
    throw error;
  }
  return letGo;
}

/** Whether a process holds the folder. */
export async function isHeld(folder: string): Promise<boolean> {
  for (const name of await locksOf(folder)) if (await isAlive(folder, name)) return true;
  return false;
}

async function locksOf(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => LOCK.test(name));
}

async function isAlive(folder: string, name: string): Promise<boolean> {
  const pid = processOf(name);
  if (pid === process.pid) return own.has(name);
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not allowed to signal it: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // After a restart of the machine another program may have that process id.
  const made = await stat(join(folder, name)).catch(() => null);
  return made !== null && made.mtimeMs > Date.now() - uptime() * 1000;
}

function processOf(name: string): number {
  return Number(LOCK.exec(name)![1]);
}

function inUse(folder: string, name: string): RunInUseError {
  return new RunInUseError(
    `${folder} is in use by process ${processOf(name)}: let that end first, or delete ${join(folder, name)} if it does not work on this run.`,
  );
}
