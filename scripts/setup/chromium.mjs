import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installDebianPackages } from './debian.mjs';
import { canInstallDebianPackages, packageCommand, root, run, say, SetupError } from './process.mjs';

/**
 * The Chromium that the end-to-end tests drive: CHROMIUM_PATH, the system's, Playwright's (installed when
 * missing), or Debian's package. Each is asked for its version before it is believed.
 *
 * @returns {Promise<string>} path of the executable
 * @throws SetupError when there is none and none can be installed
 */
export async function ensureChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (await starts(named)) return named;
    throw new SetupError(
      `CHROMIUM_PATH names ${named}, which does not start: name a Chromium, Chrome or Edge.`,
    );
  }
  return (
    (await firstThatStarts(systemBrowsers())) ??
    (await firstThatStarts([playwrightBrowser()])) ??
    (await installPlaywrightBrowser()) ??
    (await installDebianBrowser()) ??
    fail()
  );
}

/** Where a browser usually is; the existing ones, in order of preference. */
export function systemBrowsers() {
  if (process.platform === 'darwin') {
    const applications = ['Chromium', 'Google Chrome', 'Microsoft Edge'];
    return applications.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`).filter(existsSync);
  }
  if (process.platform === 'win32') {
    const folders = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA];
    return folders
      .filter(Boolean)
      .flatMap((folder) => [
        join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
        join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
      ])
      .filter(existsSync);
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
  const folders = (process.env.PATH ?? '').split(':').concat('/usr/bin', '/opt/google/chrome');
  return names.flatMap((name) => folders.map((folder) => join(folder, name)).filter(existsSync));
}

/** Playwright's own browser, whether it is there or not. */
export function playwrightBrowser() {
  const require = createRequire(join(root, 'package.json'));
  return require('@playwright/test').chromium.executablePath();
}

async function installPlaywrightBrowser() {
  say('installing Playwright’s Chromium…');
  const cli = packageCommand('playwright');
  // A network that lets nothing through but registries fails here at once; a silent one must not hang us.
  const { code } = await run(process.execPath, [cli, 'install', 'chromium'], { timeout: 600_000 });
  if (code !== 0) {
    say('Playwright’s Chromium could not be downloaded.');
    return null;
  }
  const found = await firstThatStarts([playwrightBrowser()]);
  if (found || process.getuid?.() !== 0) return found;
  say('installing the libraries that Chromium needs…');
  await run(process.execPath, [cli, 'install-deps', 'chromium'], { timeout: 600_000 });
  return firstThatStarts([playwrightBrowser()]);
}

async function installDebianBrowser() {
  if (!canInstallDebianPackages()) return null;
  say('installing Debian’s chromium…');
  // A font, or every screenshot and every measured text is empty.
  await installDebianPackages(['chromium', 'fonts-dejavu-core']);
  return firstThatStarts(systemBrowsers());
}

async function firstThatStarts(paths) {
  for (const path of paths) if (existsSync(path) && (await starts(path))) return path;
  return null;
}

async function starts(path) {
  // chrome.exe opens a window instead of answering.
  if (process.platform === 'win32') return existsSync(path);
  const { code, stdout } = await run(path, ['--version'], { timeout: 30_000 });
  return code === 0 && /(chrom|edge).*\d+\.\d+/i.test(stdout);
}

function fail() {
  throw new SetupError(
    'No Chromium was found and none could be installed: install Chromium or Chrome, or set CHROMIUM_PATH to one.',
  );
}
