/**
 * The same experiments over several seeds, each with its control from scratch, measured on the whole test split:
 * `npm run seeds` appends what is missing to docs/reports/seeds.jsonl, a line a run, and writes the table of
 * docs/study.md from it. Seconds a run on a GPU, the better part of an hour on a software adapter.
 *
 *   npm run seeds -- [--experiments default,largest-source] [--seeds 17,18,19,20,21] [--jobs 4]
 *
 * SHEAR_LAB_CLI names another entry of the command line, such as that of the kit for a machine with a GPU.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const RESULTS = 'docs/reports/seeds.jsonl';
const PAGE = 'docs/study.md';
const MARKS = ['<!-- seeds: written by npm run seeds -->', '<!-- end of seeds -->'];
const EXPERIMENTS =
  'default,constant-mixture,published-constants,depth-only,width-only,middle-source,largest-source';
const ARMS = ['source', 'pruned', 'retrained', 'scratch'];

const { values } = parseArgs({
  options: {
    experiments: { type: 'string', default: EXPERIMENTS },
    seeds: { type: 'string', default: '17,18,19,20,21' },
    jobs: { type: 'string', default: '1' },
  },
});

const results = () =>
  existsSync(RESULTS)
    ? readFileSync(RESULTS, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
const have = new Set(results().map(({ experiment, seed }) => `${experiment} ${seed}`));
const waiting = values.experiments
  .split(',')
  .flatMap((experiment) => values.seeds.split(',').map((seed) => ({ experiment, seed: Number(seed) })))
  .filter(({ experiment, seed }) => !have.has(`${experiment} ${seed}`));
const scratch = mkdtempSync(join(tmpdir(), 'shear-lab-seeds-'));
let failed = 0;

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
rmSync(scratch, { recursive: true });
writeTable();
process.exit(failed ? 1 : 0);

async function work() {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { experiment, seed } = next;
    try {
      appendFileSync(RESULTS, `${JSON.stringify(await measure(experiment, seed))}\n`);
      process.stderr.write(`${experiment}, seed ${seed}: done, ${waiting.length} to come\n`);
    } catch (error) {
      failed++;
      process.stderr.write(`${experiment}, seed ${seed}: ${error.stderr || error.message}\n`);
    }
  }
}

async function measure(experiment, seed) {
  const file = join(scratch, `${experiment}-${seed}.json`);
  const preset = JSON.parse(readFileSync(`public/experiments/${experiment}.json`, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...preset, seed }));
  const cli = process.env.SHEAR_LAB_CLI ?? 'scripts/cli.mjs';
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [cli, 'report', file, '--tasks', 'none', '--arms', ARMS.join(','), '--json'],
    { maxBuffer: 64e6 },
  );
  const { version, adapter, source, sourceSha256, arms } = JSON.parse(stdout);
  const losses = arms.map(({ arm, loss }) => [arm, loss.map((value) => Number(value.toFixed(5)))]);
  return { experiment, seed, source, sourceSha256, version, adapter, loss: Object.fromEntries(losses) };
}

/** A row an experiment: mean over the domains, then mean and standard deviation over the seeds. */
function writeTable() {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const spread = (list) => {
    const centre = mean(list);
    const deviation = Math.sqrt(
      list.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (list.length - 1),
    );
    return list.length > 1 ? `${centre.toFixed(3)} ± ${deviation.toFixed(3)}` : centre.toFixed(3);
  };
  const runs = results();
  const experiments = [...new Set(runs.map(({ experiment }) => experiment))];
  const rows = experiments.map((experiment) => {
    const own = runs.filter((run) => run.experiment === experiment);
    const of = (arm) => own.map(({ loss }) => mean(loss[arm]));
    const gained = own.map(({ loss }) => mean(loss.scratch) - mean(loss.retrained));
    const cells = [
      experiment,
      own[0].source,
      ...ARMS.map((arm) => spread(of(arm))),
      spread(gained),
      own.length,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const adapters = [...new Set(runs.map(({ adapter }) => adapter.description || adapter.vendor))].join('; ');
  const text = [
    '| experiment | source model | source | as cut | retrained | from scratch | ahead of scratch | n |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Nats a token, mean over the domains of the test split; mean ± standard deviation over n seeds. Computed by the engine on ${adapters}.`,
  ].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = MARKS.map((mark) => page.indexOf(mark));
  if (begin < 0 || end < begin) throw new Error(`${PAGE} must have ${MARKS.join(' and, behind it, ')}`);
  writeFileSync(PAGE, `${page.slice(0, begin + MARKS[0].length)}\n\n${text}\n\n${page.slice(end)}`);
}
