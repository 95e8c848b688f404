import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Packages whose commands or modules the kit runs; what they need comes along. */
const PACKAGES = ['vitest', 'vite', 'webgpu', 'zod', 'fast-check', 'fflate', '@huggingface/tokenizers'];

/** Needed by none of the kit's sections: styles, types, and other platforms' builds. */
const LEFT_OUT = /^(lightningcss.*|@types\/.*|@webgpu\/types|@oxc-project\/types)$/;

/** Files and folders of the repository that travel whole. */
export const SOURCES = [
  'package.json',
  'tsconfig.json',
  'src',
  'shaders',
  'scripts/gpu-kit',
  'scripts/pretrain/model.py',
  'scripts/reference/golden.json',
  'scripts/reference/distillation.json',
  'public/experiments',
  'public/models/nano',
  'public/models/index.json',
  'public/corpus/tokenizer.json',
];

/** Models that travel as a shape: their weights are drawn anew where they are timed. */
export const SHAPES = ['small', 'base'];

/** Test files by the tests' own patterns: everything that computes on the GPU. */
export const TESTS = [
  'src/kernels/',
  'src/llama/backward.test.ts',
  'src/llama/generate.test.ts',
  'golden.test.ts',
  'distillation.test.ts',
  'trainer.test.ts',
  'adapters.test.ts',
  'src/run/run.test.ts',
];

/** Shards of each domain's training text. */
const SHARDS = 1;

/** The corpus' manifest with the first shards only: what of it travels. */
export function sliceManifest(manifest) {
  const domains = manifest.domains.map((domain) => {
    const shards = domain.train.shards.slice(0, SHARDS);
    const tokens = shards.reduce((sum, shard) => sum + shard.tokens, 0);
    return { ...domain, train: { ...domain.train, tokens, shards } };
  });
  return { ...manifest, domains };
}

/** Paths under public/corpus that a manifest names, without the test text. */
export function corpusFiles(manifest) {
  return manifest.domains.flatMap(({ name, train, validation }) =>
    [...train.shards, validation].map(({ file }) => `${name}/${file}`),
  );
}

/**
 * Folders of installed packages that the kit needs: PACKAGES and all that they depend on.
 *
 * @param {string} root the repository
 * @returns {{ name: string, folder: string }[]} folders, with their places under node_modules
 */
export function packageFolders(root) {
  const modules = realpathSync(join(root, 'node_modules'));
  const found = new Map();
  const visit = (name, from) => {
    if (LEFT_OUT.test(name)) return;
    const folder = resolvePackage(name, from);
    // Optional ones of other platforms are not installed.
    if (!folder || found.has(folder)) return;
    found.set(folder, folder.slice(modules.length + 1));
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    for (const other of Object.keys({ ...dependencies, ...optionalDependencies })) visit(other, folder);
  };
  for (const name of PACKAGES) visit(name, dirname(modules));
  return [...found].map(([folder, name]) => ({ folder, name }));
}

function resolvePackage(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(folder)) return realpathSync(folder);
    if (at === dirname(at)) return null;
  }
}
