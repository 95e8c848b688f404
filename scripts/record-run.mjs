/**
 * Makes public/recorded/run.json, the run that plays before a visitor's own: `npm run record` runs the
 * default experiment at half the batch (about ten minutes on a software adapter) and keeps its log.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const OUT = '.cache/recorded';
const EXPERIMENT = 'public/experiments/half-batch.json';

const { status } = spawnSync(process.execPath, ['scripts/cli.mjs', 'prune', EXPERIMENT, '--out', OUT], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

/** Six significant digits draw the same charts in half the bytes. */
const rounded = (_key, value) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;

const log = JSON.parse(readFileSync(`${OUT}/run.json`, 'utf8'), rounded);
mkdirSync('public/recorded', { recursive: true });
writeFileSync('public/recorded/run.json', `${JSON.stringify(log)}\n`);
process.stdout.write(`public/recorded/run.json: ${log.events.length} events\n`);
