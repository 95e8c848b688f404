import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What a script is doing, on stderr: standard output belongs to the command that was asked for. */
export function say(message) {
  process.stderr.write(`shear-lab: ${message}\n`);
}

/** An error that a person can act on: one sentence, shown without a stack trace. */
export class SetupError extends Error {
  name = 'SetupError';
}

/**
 * Runs a program to its end. Its output is collected, or shown on stderr with `show`.
 *
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>} code 127 when it could not start, 124
 *   when it ran past `timeout` milliseconds.
 */
export function run(command, args, { env = {}, show = false, timeout = 0 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', show ? 2 : 'pipe', show ? 2 : 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let late = false;
    child.stdout?.on('data', (bytes) => (stdout += bytes));
    child.stderr?.on('data', (bytes) => (stderr += bytes));
    const timer =
      timeout > 0 &&
      setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, timeout);
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), stdout, stderr });
    });
  });
}

/** The file behind a package's command, to be run with this same Node (no shell, no .cmd on Windows). */
export function packageCommand(packageName, command = packageName) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** Debian itself (Ubuntu's `chromium` is only a pointer to a snap) with the right to install packages. */
export function canInstallDebianPackages() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return false;
  return /^ID=debian$/m.test(osRelease());
}

export function osRelease() {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}

/** The last line of a program's complaint, for a sentence. */
export function lastLine(text) {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}

/** Runs a script's body; a SetupError ends it with its sentence, anything else with its stack. */
export async function runScript(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(1);
  }
}
