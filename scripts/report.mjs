/**
 * Makes the README's table of the default experiment, and docs/reports/default.{json,csv,md} which it is taken
 * from: `npm run report` runs the experiment, its control from scratch and all measurements (seconds of work for a
 * GPU, the better part of an hour for a software adapter). What stands behind it goes to the command, such as
 * `npm run report -- --windows 64`. With `--run DIR` the models of a finished run are measured, and only the
 * control is trained. With `--made DIR` the files are taken that another machine wrote with
 * `report … --json --csv DIR/default.csv --markdown DIR/default.md > DIR/default.json`.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatted, README, withSection } from './readme-section.mjs';

const FOLDER = 'docs/reports';
const NAME = 'default';
const file = (extension) => `${FOLDER}/${NAME}.${extension}`;

const [option, folder, ...others] = process.argv.slice(2);
mkdirSync(FOLDER, { recursive: true });
const json = option === '--made' ? take(folder) : make();

function take(made) {
  for (const extension of ['csv', 'md']) copyFileSync(join(made, `${NAME}.${extension}`), file(extension));
  return readFileSync(join(made, `${NAME}.json`), 'utf8');
}

function make() {
  const [run, options] = option === '--run' ? [folder, others] : [NAME, process.argv.slice(2)];
  const command = ['report', run, '--json', '--csv', file('csv'), '--markdown', file('md')];
  const { status, stdout } = spawnSync(process.execPath, ['scripts/cli.mjs', ...command, ...options], {
    stdio: ['inherit', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

const markdown = await formatted(readFileSync(file('md'), 'utf8'), 'markdown');
writeFileSync(file('md'), markdown);
writeFileSync(file('json'), await formatted(json, 'json'));
writeFileSync(README, withSection(readFileSync(README, 'utf8'), markdown));
process.stdout.write(`${['json', 'csv', 'md'].map(file).join(', ')} and ${README} are written\n`);
