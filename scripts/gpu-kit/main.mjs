import { main } from '../../.cache/cli/main.mjs';

/** A command of the engine from the kit's bundle: scripts/cli.mjs without anything to set up. */
const code = await main(process.argv.slice(2));
// Dawn's threads keep a process alive: leave once everything written has gone out.
process.stdout.write('', () => process.exit(code));
