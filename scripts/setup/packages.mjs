import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLine, root, run, say, SetupError } from './process.mjs';

const OLDEST_NODE = [20, 19];

/** Stops with a sentence on a Node that the build tools refuse. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer (https://nodejs.org).`,
    );
  }
}

/**
 * Installs exactly what package-lock.json names, unless that is what node_modules holds already.
 *
 * @throws SetupError when npm fails.
 */
export async function ensurePackages() {
  checkNode();
  if (packagesAreInstalled()) return;
  say('installing packages (npm ci)…');
  const npm = npmCommand();
  const { code, stderr } = await run(
    npm.command,
    [...npm.args, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    // A caller's settings must not leave out the build tools.
    { env: { NODE_ENV: 'development' } },
  );
  if (code !== 0) throw new SetupError(`npm ci failed: ${lastLine(stderr) || `exit code ${code}`}`);
}

/** True when every package of package-lock.json stands in node_modules in that version. */
export function packagesAreInstalled() {
  const installedLock = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedLock, 'utf8')).packages;
  return Object.entries(wanted).every(
    // Optional packages are those of other platforms; '' is this project itself.
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

/** npm as the program that runs us, else from the path. */
function npmCommand() {
  const runner = process.env.npm_execpath;
  if (runner && /npm-cli\.[cm]?js$/.test(runner)) return { command: process.execPath, args: [runner] };
  // On Windows npm is a .cmd file, which only a shell can start.
  return process.platform === 'win32'
    ? { command: 'cmd.exe', args: ['/d', '/s', '/c', 'npm'] }
    : { command: 'npm', args: [] };
}
