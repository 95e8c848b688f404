import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetupError } from './process.mjs';
import { fingerprint } from './sources.mjs';

const folder = join(root, '.cache', 'cli');

/**
 * Bundles the TypeScript under src/cli, unless the bundle of the sources as they are is there already. Packages
 * stay outside it.
 *
 * @returns {Promise<string>} path of the bundle, at the same depth as src/cli, so that paths relative to it hold
 * @throws SetupError when the build fails
 */
export async function bundleCommandLine() {
  mkdirSync(folder, { recursive: true });
  const sources = fingerprint(['src', 'shaders', 'package-lock.json', 'scripts/setup/bundle.mjs']);
  const path = join(folder, `main-${sources}.mjs`);
  if (existsSync(path)) return path;
  const building = join(folder, `building-${process.pid}`);
  const { build } = await import('vite');
  try {
    await build({
      configFile: false,
      root,
      logLevel: 'silent',
      build: {
        ssr: 'src/cli/main.ts',
        outDir: building,
        target: 'node20',
        copyPublicDir: false,
        minify: false,
        sourcemap: 'inline',
        rolldownOptions: { output: { entryFileNames: 'main.mjs', codeSplitting: false } },
      },
    });
    // Two commands may start at once: each builds in its own folder, and whole files replace whole files.
    renameSync(join(building, 'main.mjs'), path);
  } catch (error) {
    throw new SetupError(`the command line could not be built: ${error.message}`);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  forgetOldBundles();
  return path;
}

/** Bundles of earlier sources, except those that a command started a moment ago may be about to load. */
function forgetOldBundles() {
  const hourAgo = Date.now() - 3_600_000;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith('main-') && statSync(path).mtimeMs < hourAgo) rmSync(path, { force: true });
  }
}
