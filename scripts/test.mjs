import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './setup/chromium.mjs';
import { ensurePackages } from './setup/packages.mjs';
import { freePort } from './setup/port.mjs';
import { packageCommand, root, runScript, say, SetupError } from './setup/process.mjs';
import { ensureAdapter } from './setup/vulkan.mjs';

/**
 * `npm test`: every check, one after another, and a last line that counts what really ran:
 * `N passed, N failed`. A failing stage does not stop the next, so that one run tells everything.
 * `npm test -- --only unit,lint` runs some of the stages; what follows `--` goes to that stage's tool.
 */
const reports = join(root, '.cache', 'test');

const LONGEST_STAGE_MINUTES = 35;

const STAGES = [
  { name: 'format', run: () => check('prettier', ['--check', '--log-level', 'warn', '.']) },
  { name: 'types', run: () => check('typescript', ['--noEmit'], 'tsc') },
  { name: 'lint', run: () => check('eslint', ['--max-warnings', '0', '.']) },
  { name: 'unit', run: unitTests },
  { name: 'build', run: () => check('vite', ['build', '--logLevel', 'warn']) },
  { name: 'e2e', run: endToEndTests },
];

const { only, rest } = readArguments(process.argv.slice(2));

await runScript(async () => {
  const stages = only ? STAGES.filter((stage) => only.includes(stage.name)) : STAGES;
  if (stages.length === 0 || (only && stages.length < only.length)) {
    throw new SetupError(`--only takes ${STAGES.map((stage) => stage.name).join(', ')}; it was ${only}.`);
  }
  await ensurePackages();
  mkdirSync(reports, { recursive: true });

  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  for (const { name, run } of stages) {
    say(`${name}…`);
    const started = performance.now();
    const { passed, failed, skipped } = await run().catch((error) => {
      say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
      return { passed: 0, failed: 1, skipped: 0 };
    });
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const skips = skipped ? `, ${skipped} skipped` : '';
    lines.push(
      `  ${name.padEnd(8)}${String(passed).padStart(5)} passed, ${failed} failed${skips}  ${seconds} s`,
    );
  }
  console.log(`\n${lines.join('\n')}`);
  if (total.skipped > 0) console.log(`  ${total.skipped} skipped`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
});

function readArguments(argv) {
  const at = argv.indexOf('--only');
  if (at < 0) return { only: null, rest: argv };
  return { only: (argv[at + 1] ?? '').split(','), rest: argv.toSpliced(at, 2) };
}

/** A tool that says yes or no counts as one. */
async function check(packageName, args, command) {
  const code = await runTool(packageName, args, { command });
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Unit, kernel and golden tests, in Node on the best adapter that opens. */
async function unitTests() {
  const adapter = await ensureAdapter();
  say(`kernels run on ${adapter.description}.`);
  const report = join(reports, 'unit.json');
  rmSync(report, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...rest];
  const code = await runTool('vitest', args, { env: adapter.env });
  return count(report, code, (found) => ({
    passed: found.numPassedTests,
    // A file that cannot even be loaded has no tests to fail: it counts itself.
    failed:
      found.numFailedTests +
      found.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
        .length,
    skipped: found.numPendingTests + found.numTodoTests,
  }));
}

/** The built page in a real Chromium. */
async function endToEndTests() {
  const browser = await ensureChromium();
  // On a machine with a GPU the page is tested on it, too.
  const { software } = await ensureAdapter({ useMemory: true });
  const report = join(reports, 'e2e.json');
  rmSync(report, { force: true });
  const env = {
    CHROMIUM_PATH: browser,
    LAB_PORT: String(await freePort('127.0.0.1', 4180)),
    LAB_GPU: software ? '' : '1',
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  };
  const code = await runTool('@playwright/test', ['test', '--reporter=list,json', ...rest], {
    command: 'playwright',
    env,
  });
  return count(report, code, ({ stats, errors }) => ({
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky + errors.length,
    skipped: stats.skipped,
  }));
}

/** A runner's own report, distrusted where it and its exit code disagree or where nothing ran. */
function count(report, code, read) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const counted = read(JSON.parse(readFileSync(report, 'utf8')));
  if (counted.failed === 0 && (code !== 0 || counted.passed === 0)) counted.failed = 1;
  return counted;
}

/** Runs a package's command with its output shown here, and returns its exit code. */
function runTool(packageName, args, { command, env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [packageCommand(packageName, command), ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    // A driver that hangs must not keep the other stages from telling what they found.
    const limit = setTimeout(() => {
      say(`${packageName} was stopped after ${LONGEST_STAGE_MINUTES} minutes.`);
      child.kill('SIGTERM');
    }, LONGEST_STAGE_MINUTES * 60_000);
    const end = (code) => {
      clearTimeout(limit);
      resolve(code);
    };
    child.on('error', () => end(127));
    child.on('close', (code) => end(code ?? 1));
  });
}
