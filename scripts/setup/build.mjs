import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageCommand, root, run, say, SetupError } from './process.mjs';
import { fingerprint } from './sources.mjs';

const page = join(root, 'dist', 'index.html');
const remembered = join(root, '.cache', 'setup', 'build.txt');

/**
 * Builds the page into dist/ unless dist/ was built from the sources as they are.
 *
 * @throws SetupError when the build fails
 */
export async function ensureBuild() {
  const sources = fingerprint([
    'index.html',
    'public',
    'shaders',
    'src',
    'package-lock.json',
    'vite.config.ts',
  ]);
  if (existsSync(remembered) && readFileSync(remembered, 'utf8') === stamp(sources)) return;
  say('building…');
  const args = [packageCommand('vite'), 'build', '--logLevel', 'error'];
  const { code } = await run(process.execPath, args, { show: true });
  if (code !== 0) throw new SetupError('the build failed: the reason stands above.');
  mkdirSync(dirname(remembered), { recursive: true });
  writeFileSync(remembered, stamp(sources));
}

/** Names the sources and the very build: one made by hand in between is not taken for ours. */
function stamp(sources) {
  return `${sources} ${existsSync(page) ? statSync(page).mtimeMs : 'none'}`;
}
