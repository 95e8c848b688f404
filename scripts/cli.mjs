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

/** Commands that only say something or read files: they must work where nothing can compute. */
function readsOnly([command, ...rest]) {
  const words = ['info', 'kit', 'help', '--help', '-h', 'version', '--version', undefined];
  return words.includes(command) || rest.some((word) => ['--help', '-h', '--version'].includes(word));
}

await runScript(async () => {
  await ensurePackages();
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
  const { main } = await import(pathToFileURL(await bundleCommandLine()).href);
  const code = await main(argv);
  // Dawn's threads keep a process alive: leave once everything written has gone out.
  process.stdout.write('', (error) => {
    if (!error) process.exit(code);
  });
});
