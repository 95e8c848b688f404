/**
 * Makes the README's table of the default experiment, and docs/reports/default.{json,csv,md} which it is taken
 * from: `npm run report` runs the experiment, its control from scratch and all measurements (seconds of work for a
 * GPU, the better part of an hour for a software adapter). What stands behind it goes to the command, such as
 * `npm run report -- --windows 64`. With `--run DIR` the models of a finished run are measured, and only the
 * control is trained.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { formatted, README, withSection } from './readme-section.mjs';

const FOLDER = 'docs/reports';
const NAME = 'default';
const file = (extension) => `${FOLDER}/${NAME}.${extension}`;

const [option, folder, ...others] = process.argv.slice(2);
const [run, options] = option === '--run' ? [folder, others] : [NAME, process.argv.slice(2)];

mkdirSync(FOLDER, { recursive: true });
const command = ['report', run, '--json', '--csv', file('csv'), '--markdown', file('md')];
const { status, stdout } = spawnSync(process.execPath, ['scripts/cli.mjs', ...command, ...options], {
  stdio: ['inherit', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 64e6,
});
if (status !== 0) process.exit(status ?? 1);

const markdown = await formatted(readFileSync(file('md'), 'utf8'), 'markdown');
writeFileSync(file('md'), markdown);
writeFileSync(file('json'), await formatted(stdout, 'json'));
writeFileSync(README, withSection(readFileSync(README, 'utf8'), markdown));
process.stdout.write(`${['json', 'csv', 'md'].map(file).join(', ')} and ${README} are written\n`);
