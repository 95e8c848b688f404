import { openRunFolder } from './node-folder';
import { workUntilKilled } from './testing';

// For node-folder.test.ts, which bundles this, runs it as a process of its own and kills it.
const folder = await openRunFolder(process.argv[2]!);
await workUntilKilled(folder, 20_000, (found) => process.stdout.write(`${JSON.stringify(found)}\n`));
