import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TESTS } from './contents.mjs';

/**
 * Runs every section of the kit in a process of its own, with a limit, and writes RESULTS/kit.json after each: one
 * that fails, hangs or takes the driver down is recorded and stops nothing else. kit.md is the same as tables.
 * KIT_ONLY=limits,sweep runs some sections.
 */
const results = process.argv[2];
const main = ['scripts/gpu-kit/main.mjs'];
const scratch = mkdtempSync(join(tmpdir(), 'shear-lab-kit-run-'));
mkdirSync(results, { recursive: true });
const only = process.env.KIT_ONLY?.split(',');

const kit = {
  version: 1,
  date: new Date().toISOString(),
  commit: readFileSync('commit.txt', 'utf8').trim(),
  node: process.version,
  gpu: await gpuName(),
  adapter: null,
  sections: {},
};

const clocks = watchClocks();
await section('limits', 60, () => command('measure', 'limits'));
kit.adapter = kit.sections.limits?.result?.adapter ?? null;
const software = kit.adapter?.software ?? false;
if (!kit.adapter) say('NO ADAPTER OPENED: see kit.log.');
else if (software)
  say(`ONLY A SOFTWARE ADAPTER OPENED (${kit.adapter.description}): no GPU is measured here.`);
else say(`GPU: ${kit.adapter.vendor} ${kit.adapter.architecture} ${kit.adapter.description}`);

const models = software ? ['nano'] : ['nano', 'small', 'base'];
const few = software ? ['--timed', '2', '--steps', '3'] : ['--steps', '200'];
for (const model of models) {
  await section(`bench ${model}`, 90, () => command('bench', model, '--profile', ...few));
}
if (!software) {
  await section('bench nano 8', 45, () => command('bench', 'nano', '--batch', '8', '--profile', ...few));
  for (const model of models) await section(`pytorch ${model}`, 40, () => pytorch(model, 'eager'));
}
await section('sweep', 90, () => command('measure', 'sweep', '--seconds', software ? '15' : '60'));
await section('prune', 90, prune);
if (software) await section('pytorch nano', 60, () => pytorch('nano', 'eager'));
await section('tests', software ? 400 : 150, tests);
if (!software) await section('compiled nano', 75, () => pytorch('nano', 'compiled'));
clocks?.kill();
const failed = Object.entries(kit.sections).filter(([, { error }]) => error);
say(failed.length ? `failed: ${failed.map(([name]) => name).join(', ')}` : 'every section has run.');
process.exit(0);

function say(text) {
  process.stderr.write(`kit: ${text}\n`);
}

/** What NVIDIA's driver calls the GPU, where there is one. */
async function gpuName() {
  const { code, stdout } = await start('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], 20);
  return code === 0 ? stdout.trim().split('\n')[0] : null;
}

/** Clocks, power and what limits them, twice a second, into clocks.csv: times mean little without. */
function watchClocks() {
  if (!kit.gpu) return null;
  const query =
    'timestamp,pstate,clocks.sm,clocks.max.sm,clocks.mem,power.draw,utilization.gpu,clocks_event_reasons.active';
  const file = openSync(join(results, 'clocks.csv'), 'w');
  const watch = spawn('nvidia-smi', [`--query-gpu=${query}`, '--format=csv,nounits', '-lms', '500'], {
    stdio: ['ignore', file, 'ignore'],
  });
  watch.on('error', () => undefined);
  return watch;
}

/** Runs `make` with its limit in seconds and writes down what it gave. */
async function section(name, limit, make) {
  if (only && !only.some((wanted) => name.startsWith(wanted))) return;
  say(`${name}…`);
  const started = performance.now();
  let outcome;
  try {
    outcome = await make()(limit);
  } catch (error) {
    outcome = { error: error.message };
  }
  const seconds = (performance.now() - started) / 1000;
  kit.sections[name] = { seconds, ...outcome };
  say(
    `${name}: ${outcome.error ? `FAILED: ${outcome.error.split('\n').at(-1)}` : 'done'} (${seconds.toFixed(1)} s)`,
  );
  writeFileSync(join(results, 'kit.json'), `${JSON.stringify(kit, null, 1)}\n`);
  const table = await start(process.execPath, [...main, 'kit', join(results, 'kit.json')], 30);
  if (table.code === 0) writeFileSync(join(results, 'kit.md'), table.stdout);
  else say(`no kit.md: ${table.stderr}`);
}

/** A command of the engine that answers in JSON. */
function command(...args) {
  return async (limit) => {
    const { code, stdout, stderr } = await start(process.execPath, [...main, ...args, '--json'], limit);
    return code === 0 ? { result: JSON.parse(stdout) } : { error: tail(stderr) || `exit code ${code}` };
  };
}

/** The default experiment; a few steps of it on a software adapter. */
function prune() {
  return async (limit) => {
    const experiment = JSON.parse(readFileSync('public/experiments/default.json', 'utf8'));
    if (software) {
      Object.assign(experiment, { prune: { ...experiment.prune, steps: 4, batchSize: 1 } });
      Object.assign(experiment, { retrain: { ...experiment.retrain, steps: 2, batchSize: 1 } });
      Object.assign(experiment, { evaluation: { ...experiment.evaluation, windows: 1, interval: 4 } });
    }
    const path = join(scratch, 'experiment.json');
    writeFileSync(path, JSON.stringify(experiment));
    const outcome = await command('prune', path, '--out', join(scratch, 'pruned'))(limit);
    if (outcome.result) outcome.stages = stageTimes(join(scratch, 'pruned', 'metrics.jsonl'));
    return outcome;
  };
}

/** Events of a run by type, to tell steps from evaluations. */
function stageTimes(path) {
  const counts = {};
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    const { type, stage } = JSON.parse(line);
    const key = stage ? `${type} ${stage}` : type;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function pytorch(model, mode) {
  return async (limit) => {
    const args = ['scripts/gpu-kit/pytorch_step.py', mode, `public/models/${model}/config.json`, '16', '128'];
    const { code, stdout, stderr } = await start('python3', args, limit);
    const last = stdout.trim().split('\n').at(-1);
    // What was done before the limit counts.
    if (last) return { result: JSON.parse(last), ...(code !== 0 && { stopped: tail(stderr) }) };
    return { error: tail(stderr) || `exit code ${code}` };
  };
}

/** The tests of everything that computes on the GPU, against their float64 references. */
function tests() {
  return async (limit) => {
    const report = join(scratch, 'tests.json');
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/gpu-kit/vitest.config.mjs'];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const parallel = availableParallelism() >= 8 && !software;
    const { code, stdout, stderr } = await start(process.execPath, [...args, ...reporters, ...TESTS], limit, {
      KIT_PARALLEL: parallel ? '1' : '0',
    });
    writeFileSync(join(results, 'tests.log'), `${stdout}\n${stderr}`.slice(-4_000_000));
    let found;
    try {
      found = JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      return { error: tail(stderr) || tail(stdout) || `exit code ${code}` };
    }
    const files = found.testResults.map(
      ({ name, status, message, assertionResults, startTime, endTime }) => ({
        file: name.replace(`${process.cwd()}/`, ''),
        status,
        seconds: (endTime - startTime) / 1000,
        passed: assertionResults.filter((test) => test.status === 'passed').length,
        failed: assertionResults
          .filter((test) => test.status === 'failed')
          .map((test) => ({ name: test.fullName, message: test.failureMessages.join('\n').slice(0, 2000) })),
        ...(message && { message: message.slice(0, 2000) }),
      }),
    );
    return { result: { passed: found.numPassedTests, failed: found.numFailedTests, files } };
  };
}

function tail(text) {
  return text.trim().split('\n').slice(-12).join('\n');
}

/** Runs a program to its end or its limit in seconds; its output also goes to kit.log. */
function start(program, args, limit, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    child.stdout.on('data', (bytes) => (stdout += bytes));
    child.stderr.on('data', (bytes) => (stderr += bytes));
    const timer = setTimeout(() => {
      late = true;
      stderr += `\nstopped after ${limit} s`;
      // Its workers, too.
      process.kill(-child.pid, 'SIGKILL');
    }, limit * 1000);
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.on('close', (code) => {
      clearTimeout(timer);
      writeFileSync(join(results, 'kit.log'), `$ ${args.join(' ')}\n${stderr.slice(-20_000)}\n`, {
        flag: 'a',
      });
      resolve({ code: late ? 124 : (code ?? 1), stdout, stderr });
    });
  });
}
