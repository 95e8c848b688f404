import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A pinned package.
 * @typedef {{ registry: 'debian' | 'npm', name: string, version: string }} Package
 */

const run = (/** @type {string} */ command, /** @type {string[]} */ args, /** @type {string} */ cwd) =>
  execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

/**
 * Downloads and unpacks a package once; returns the folder it lies in.
 * @param {Package} wanted
 * @param {string} cache
 */
export function fetchPackage(wanted, cache) {
  const folder = join(cache, wanted.registry, `${wanted.name}@${wanted.version}`.replace(/[/:]/g, '_'));
  if (existsSync(folder)) return folder;
  const staging = `${folder}.partial`;
  const content = join(staging, 'content');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(content, { recursive: true });
  console.log(`fetching ${wanted.registry} ${wanted.name} ${wanted.version}`);
  if (wanted.registry === 'debian') {
    run('apt-get', ['-q', 'download', `${wanted.name}=${wanted.version}`], staging);
    run('dpkg-deb', ['-x', onlyFile(staging, '.deb'), content], staging);
  } else {
    run('npm', ['pack', '--silent', `${wanted.name}@${wanted.version}`], staging);
    run('tar', ['xzf', onlyFile(staging, '.tgz'), '-C', content, '--strip-components=1'], staging);
  }
  renameSync(content, folder);
  rmSync(staging, { recursive: true, force: true });
  return folder;
}

const onlyFile = (/** @type {string} */ folder, /** @type {string} */ ending) => {
  const found = readdirSync(folder).filter((name) => name.endsWith(ending));
  if (found.length !== 1) throw new Error(`expected one ${ending} in ${folder}, found ${found.length}`);
  return /** @type {string} */ (found[0]);
};
