/**
 * Makes public/recorded/run.json, the run that plays before a visitor's own: `npm run record` runs the default
 * experiment (seconds on a GPU, a quarter of an hour on a software adapter) and keeps its log. The run's folder
 * stays in .cache/recorded, where `npm run report -- --run .cache/recorded` finds its models. With `--made DIR` the
 * folder that `prune` wrote on another machine is taken.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EXPERIMENT = 'public/experiments/default.json';
const RECORDED = 'public/recorded/run.json';

const [option, made] = process.argv.slice(2);
const out = option === '--made' ? made : '.cache/recorded';
if (option !== '--made') {
  const command = ['scripts/cli.mjs', 'prune', EXPERIMENT, '--out', out, '--force'];
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const log = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
mkdirSync('public/recorded', { recursive: true });
writeFileSync(RECORDED, `${JSON.stringify(log)}\n`);
process.stdout.write(`${RECORDED}: ${log.events.length} events\n`);
