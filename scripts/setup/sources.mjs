import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

/**
 * One word for the state of files and folders of the repository: it changes with any file's name, size or
 * time of change below `paths`, in a few milliseconds and without reading a file.
 *
 * @param {string[]} paths relative to the repository
 * @returns {string} 16 hexadecimal digits
 */
export function fingerprint(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const absolute = join(root, path);
    if (!existsSync(absolute)) return;
    const stats = statSync(absolute);
    if (stats.isDirectory()) {
      for (const name of readdirSync(absolute).sort()) visit(`${path}/${name}`);
    } else {
      hash.update(`${path}\0${stats.size}\0${stats.mtimeMs}\n`);
    }
  };
  paths.forEach(visit);
  return hash.digest('hex').slice(0, 16);
}
