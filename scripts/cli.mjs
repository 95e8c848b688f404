import { pathToFileURL } from 'node:url';
import { bundleCommandLine } from './setup/bundle.mjs';
import { ensurePackages } from './setup/packages.mjs';
import { runScript } from './setup/process.mjs';
import { ensureAdapter } from './setup/vulkan.mjs';

/**
 * The engine from a terminal: `npm run -s cli -- COMMAND`. The TypeScript under src/cli is bundled once and
 * kept in .cache/cli until a source changes; only the command itself writes to standard output.
 */
const argv = process.argv.slice(2);

/** Commands that read files only: they must work where nothing can compute. */
const WITHOUT_ADAPTER = new Set([undefined, 'info', 'kit', 'help', '--help', '-h', '--version']);

await runScript(async () => {
  await ensurePackages();
  if (!WITHOUT_ADAPTER.has(argv[0])) {
    // The Vulkan loader reads the environment of the process when Dawn is loaded, which is later than this.
    Object.assign(process.env, (await ensureAdapter({ useMemory: true })).env);
  }
  process.setSourceMapsEnabled(true);
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { main } = await import(pathToFileURL(await bundleCommandLine()).href);
  const code = await main(argv);
  // Dawn's threads keep a process alive: leave once everything written has gone out.
  process.stdout.write('', () => process.exit(code));
});
