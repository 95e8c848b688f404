import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * Every file under `root` with one of the endings, as forward-slash paths relative to `root`, sorted.
 * @param {string} root
 * @param {string[]} endings
 */
export function listFiles(root, endings) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/**
 * Reads UTF-8, or Latin-1 where the bytes are not valid UTF-8 (old HTML manuals).
 * @param {string} path
 */
export function readText(path) {
  const bytes = readFileSync(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
