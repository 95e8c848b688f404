/** Builds public/tasks from the corpus' held-out text: see docs/tasks.md. Usage: node scripts/tasks/build.mjs */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../corpus/hash.mjs';
import { decodeDocuments, openTokenizer } from './documents.mjs';
import { writeIndex, writeItems } from './files.mjs';
import { choiceItem, lastWordItem } from './items.mjs';
import { commonestWordShare } from './last-word.mjs';
import { tasks } from './recipe.mjs';
import { select, trainingNeedle } from './select.mjs';
import { occurringIn } from './training-overlap.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CORPUS = join(ROOT, 'public/corpus');
const OUTPUT = join(ROOT, 'public/tasks');

/**
 * @typedef {{ file: string }} File
 * @typedef {{ name: string, title: string, test: File, train: { shards: File[] } }} Domain
 */

const manifestText = readFileSync(join(CORPUS, 'manifest.json'));
/** @type {{ tokenizer: { sha256: string, eos_token_id: number }, domains: Domain[] }} */
const manifest = JSON.parse(manifestText.toString());
const { encode, decode } = openTokenizer(CORPUS);

const recipes = tasks(
  manifest.domains.map(({ name, title, test }) => ({ name, title, documents: documentsIn(name, [test]) })),
);
const candidates = recipes.map(({ make }) => make());
const seen = occurringIn(candidates.flat().map(trainingNeedle), trainingTexts());

rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT, { recursive: true });
const entries = recipes.map((recipe, i) => {
  const { name, title, description, form, domain, metric } = recipe;
  const made = candidates[i] ?? [];
  const { chosen, dropped } = select(recipe, made, {
    countTokens: (text) => encode(text).length,
    isInTraining: (candidate) => seen.has(trainingNeedle(candidate)),
  });
  const [items, chance] = form === 'choice' ? choices(chosen) : words(chosen);
  const written = writeItems(OUTPUT, name, items);
  console.log(`${name}: ${items.length} of ${made.length}, chance ${chance}, ${JSON.stringify(dropped)}`);
  const { items: count, file, sha256: hash } = written;
  return {
    ...{ name, title, description, form, domain, metric, chance, items: count, built: made.length },
    ...{ file, sha256: hash, dropped, filtered_with: null },
  };
});
writeIndex(OUTPUT, {
  version: 1,
  tokenizer_sha256: manifest.tokenizer.sha256,
  corpus_manifest_sha256: sha256(manifestText),
  tasks: entries,
});

/** @param {string} domain @param {File[]} files one stream */
function documentsIn(domain, files) {
  const bytes = Buffer.concat(files.map(({ file }) => readFileSync(join(CORPUS, domain, file))));
  return decodeDocuments(bytes, manifest.tokenizer.eos_token_id, decode);
}

/** Of all domains: a text that one domain holds out may stand in another's training text. */
function* trainingTexts() {
  for (const { name, train } of manifest.domains) yield* documentsIn(name, train.shards);
}

/** @param {import('./items.mjs').Candidate[]} chosen @returns {[import('./files.mjs').Item[], number]} */
function choices(chosen) {
  const count = 1 + Number(chosen[0]?.distractors.length);
  return [chosen.map(choiceItem), 1 / count];
}

/** @param {import('./items.mjs').Candidate[]} chosen @returns {[import('./files.mjs').Item[], number]} */
function words(chosen) {
  const items = chosen.map(lastWordItem);
  return [items, commonestWordShare(items)];
}
