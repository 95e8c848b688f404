import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensurePackages } from './setup/packages.mjs';
import { root, runScript, SetupError } from './setup/process.mjs';
import { fingerprint } from './setup/sources.mjs';
import { ensureAdapter } from './setup/vulkan.mjs';

/**
 * The engine from a terminal: `npm run -s cli -- COMMAND`. The TypeScript under src/cli is bundled once and
 * kept in .cache/cli until a source changes; only the command itself writes to standard output.
 */
const argv = process.argv.slice(2);
const folder = join(root, '.cache', 'cli');

/** Commands that only say something or read files: they must work where nothing can compute. */
function readsOnly([command, ...rest]) {
  const words = ['info', 'help', '--help', '-h', 'version', '--version', undefined];
  return words.includes(command) || rest.some((word) => ['--help', '-h', '--version'].includes(word));
}

/** Path of the bundle for the sources as they are now. The same depth as src/cli, so paths relative to it hold. */
async function bundle() {
  const sources = fingerprint(['src', 'shaders', 'package-lock.json', 'scripts/cli.mjs']);
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

await runScript(async () => {
  await ensurePackages();
  mkdirSync(folder, { recursive: true });
  if (!readsOnly(argv)) {
    // The Vulkan loader reads the environment of the process when Dawn is loaded, which is later than this.
    Object.assign(process.env, (await ensureAdapter({ useMemory: true })).env);
  }
  process.setSourceMapsEnabled(true);
  // What the command was asked for has not arrived: that is a failure, also where a reader has left a pipe.
  process.stdout.on('error', (error) => {
    const reason = error.code === 'EPIPE' ? 'it was closed' : error.message;
    process.stderr.write(`Standard output could not be written to: ${reason}.\n`);
    process.exit(1);
  });
  const { main } = await import(pathToFileURL(await bundle()).href);
  const code = await main(argv);
  // Dawn's threads keep a process alive: leave once everything written has gone out.
  process.stdout.write('', (error) => {
    if (!error) process.exit(code);
  });
});
