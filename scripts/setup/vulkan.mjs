import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { playwrightBrowser, systemBrowsers } from './chromium.mjs';
import { enableBackports, installDebianPackages } from './debian.mjs';
import { canInstallDebianPackages, root, run, say, SetupError } from './process.mjs';

/** As in src/gpu/device.ts: adapters that compute on the CPU. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;

const remembered = join(root, '.cache', 'setup', 'adapter.json');

/**
 * Chooses the adapter that Dawn shall use in Node, and returns the environment that makes it so. A real GPU
 * first; else lavapipe (Mesa 23 or newer, installed on Debian when root); else SwiftShader, which every
 * Chromium brings. macOS and Windows need nothing: Dawn speaks Metal and Direct3D there.
 *
 * @param {{ useMemory?: boolean }} options useMemory: believe an earlier choice while the drivers are the same
 * @returns {Promise<{ env: Record<string, string>, description: string, software: boolean }>}
 * @throws SetupError when no adapter opens
 */
export async function ensureAdapter({ useMemory = false } = {}) {
  if (useMemory) {
    const choice = recall();
    if (choice) return choice;
  }
  const choice = await chooseAdapter();
  mkdirSync(dirname(remembered), { recursive: true });
  writeFileSync(remembered, JSON.stringify({ ...choice, drivers: drivers() }));
  return choice;
}

async function chooseAdapter() {
  const asIs = await probe({});
  if (asIs && !asIs.software) return asIs;
  // Somebody who names a driver means it.
  if (asIs && (process.platform !== 'linux' || userNamesDriver())) return asIs;
  if (process.platform === 'linux' && !userNamesDriver()) {
    const software =
      (await firstThatOpens(lavapipeFiles())) ??
      (await installLavapipe()) ??
      (await firstThatOpens(swiftShaderFiles())) ??
      asIs;
    if (software) return software;
  }
  throw new SetupError(
    'WebGPU found no graphics adapter in Node: install a Vulkan driver (on Debian or Ubuntu mesa-vulkan-drivers, Mesa 23 or newer), or set VK_ICD_FILENAMES to one.',
  );
}

function userNamesDriver() {
  return Boolean(process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES);
}

/** Opens a device in a child process under `env`; null when that fails. */
async function probe(env) {
  const script = join(root, 'scripts', 'setup', 'probe-adapter.mjs');
  const { code, stdout } = await run(process.execPath, [script], { env, timeout: 60_000 });
  if (code !== 0) return null;
  const info = JSON.parse(stdout);
  const description = [info.vendor, info.architecture, info.description].filter(Boolean).join(' ');
  return { env, description, software: info.isFallbackAdapter || SOFTWARE.test(description) };
}

async function firstThatOpens(files) {
  for (const file of files) {
    const choice = await probe({ VK_ICD_FILENAMES: file });
    if (choice) return choice;
  }
  return null;
}

function lavapipeFiles() {
  return ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d']
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => /lvp_icd.*\.json$/.test(path));
}

async function installLavapipe() {
  if (!canInstallDebianPackages()) return null;
  say('no GPU: installing Mesa’s software Vulkan driver…');
  // Dawn refuses the Mesa 22.3 of Debian 12 itself; its backports have a newer one.
  const suite = enableBackports();
  const packages = ['mesa-vulkan-drivers', 'libvulkan1'];
  const installed =
    (suite && (await installDebianPackages(packages, { suite }))) || (await installDebianPackages(packages));
  return installed ? firstThatOpens(lavapipeFiles()) : null;
}

/** Beside every Chromium lies SwiftShader; /usr/bin/chromium is a script that starts /usr/lib/chromium. */
function swiftShaderFiles() {
  const folders = systemBrowsers().map((path) => dirname(realpathSync(path)));
  folders.push(dirname(playwrightBrowser()), '/usr/lib/chromium', '/opt/google/chrome');
  return [...new Set(folders)].map((folder) => join(folder, 'vk_swiftshader_icd.json')).filter(existsSync);
}

function recall() {
  try {
    const choice = JSON.parse(readFileSync(remembered, 'utf8'));
    const file = choice.env.VK_ICD_FILENAMES;
    return choice.drivers === drivers() && (!file || existsSync(file)) ? choice : null;
  } catch {
    return null;
  }
}

/** Changes when a driver comes or goes: installed drivers, graphics devices, what the caller named. */
function drivers() {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/dev/dri'];
  const devices = existsSync('/dev') ? readdirSync('/dev').filter((name) => name.startsWith('nvidia')) : [];
  const named = [process.env.VK_ICD_FILENAMES, process.env.VK_DRIVER_FILES];
  return JSON.stringify([
    ...folders.map((f) => (existsSync(f) ? readdirSync(f).sort() : [])),
    devices,
    named,
  ]);
}
