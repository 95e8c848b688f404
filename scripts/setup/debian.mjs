import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { lastLine, osRelease, run, say } from './process.mjs';

let listsAreFresh = false;

/**
 * Installs Debian packages, after one `apt-get update` a process.
 *
 * @param {string[]} packages
 * @param {{ suite?: string }} options suite to prefer, for example `bookworm-backports`
 * @returns {Promise<boolean>} whether they are installed now
 */
export async function installDebianPackages(packages, { suite } = {}) {
  if (!listsAreFresh) {
    const { code } = await aptGet(['update']);
    listsAreFresh = code === 0;
  }
  const preference = suite ? ['-t', suite] : [];
  const { code, stderr } = await aptGet([
    'install',
    '-y',
    '--no-install-recommends',
    '-o',
    'Dpkg::Options::=--force-confold',
    ...preference,
    ...packages,
  ]);
  if (code !== 0) say(`apt-get could not install ${packages.join(', ')}: ${lastLine(stderr)}`);
  return code === 0;
}

/** Adds Debian's own backports suite in a sources file of ours, unless some file names it already. */
export function enableBackports() {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(osRelease())?.[1];
  if (!codename) return null;
  const suite = `${codename}-backports`;
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...readdirSync(folder).map((name) => `${folder}/${name}`)].filter(
    (path) => /\.(list|sources)$/.test(path) && existsSync(path),
  );
  const named = files.some((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .some((line) => !line.trimStart().startsWith('#') && line.includes(suite)),
  );
  if (!named) {
    writeFileSync(`${folder}/shear-lab-backports.list`, `deb http://deb.debian.org/debian ${suite} main\n`);
    listsAreFresh = false;
  }
  return suite;
}

/** Another apt may hold the lock and a mirror may stumble: wait for the first, retry the second. */
async function aptGet(args) {
  const options = ['-q', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300'];
  let result = { code: 1, stdout: '', stderr: '' };
  for (let attempt = 0; attempt < 2 && result.code !== 0; attempt++) {
    result = await run('apt-get', [...options, ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  }
  return result;
}
