/**
 * Makes public/recorded/run.json, the run that plays before a visitor's own: `npm run record` runs the
 * default experiment (a quarter of an hour on a software adapter) and keeps its log. The run's folder stays in
 * .cache/recorded, where `npm run report -- --run .cache/recorded` finds its models.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const OUT = '.cache/recorded';
const EXPERIMENT = 'public/experiments/default.json';

const { status } = spawnSync(process.execPath, ['scripts/cli.mjs', 'prune', EXPERIMENT, '--out', OUT], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

/** Six significant digits draw the same charts in half the bytes; the settings stay as they are. */
const rounded = (key, value) => {
  if (key === 'experiment') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(6));
  if (Array.isArray(value)) return value.map((item) => rounded('', item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rounded(name, item)]));
};

const log = rounded('', JSON.parse(readFileSync(`${OUT}/run.json`, 'utf8')));
mkdirSync('public/recorded', { recursive: true });
writeFileSync('public/recorded/run.json', `${JSON.stringify(log)}\n`);
process.stdout.write(`public/recorded/run.json: ${log.events.length} events\n`);
