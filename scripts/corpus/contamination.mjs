/**
 * Measures how much of the held-out splits and of the tasks stands in training text, and writes
 * public/corpus/contamination.json. Usage: npm run corpus:contamination
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeDocuments, openTokenizer } from '../tasks/documents.mjs';
import { readIndex, readItems } from '../tasks/files.mjs';
import { sha256 } from './hash.mjs';
import { overlapOfStreams, overlapOfTexts } from './overlap.mjs';

/**
 * @typedef {{ file: string }} File
 * @typedef {{ name: string, train: { shards: File[] }, validation: File, test: File }} Domain
 */

const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url));
const CORPUS = join(PUBLIC, 'corpus');
const TASKS = join(PUBLIC, 'tasks');
/** In tokens: 24 are about eleven words; 13 is the length of many a set phrase. */
const TOKEN_RUNS = [24, 13];
/** In words, as the authors of GPT-3 counted (Brown et al. 2020, appendix C). */
const WORD_RUN = 13;

const manifestText = readFileSync(join(CORPUS, 'manifest.json'), 'utf8');
/** @type {{ tokenizer: { eos_token_id: number }, domains: Domain[] }} */
const manifest = JSON.parse(manifestText);

const read = (/** @type {Domain} */ { name }, /** @type {File[]} */ files) =>
  Buffer.concat(files.map(({ file }) => readFileSync(join(CORPUS, name, file))));
const tokensOf = (/** @type {Buffer} */ bytes) => new Uint16Array(Uint8Array.from(bytes).buffer);
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(2)} %`;
const rounded = (/** @type {number} */ share) => Number(share.toFixed(6));

function measureSplits() {
  const heldOut = manifest.domains.flatMap((domain) =>
    /** @type {const} */ (['validation', 'test']).map((split) => ({
      domain: domain.name,
      split,
      tokens: tokensOf(read(domain, [domain[split]])),
    })),
  );
  const training = manifest.domains.map((domain) => ({
    domain: domain.name,
    read: () => tokensOf(read(domain, domain.train.shards)),
  }));
  return TOKEN_RUNS.flatMap((run) =>
    overlapOfStreams(heldOut, training, run).map(({ own, any }, i) => {
      const { domain, split } = /** @type {(typeof heldOut)[number]} */ (heldOut[i]);
      console.log(`${domain} ${split}, runs of ${run}: ${percent(own)} in its own, ${percent(any)} in any`);
      return { domain, split, run, own: rounded(own), any: rounded(any) };
    }),
  );
}

function measureTasks() {
  if (!existsSync(join(TASKS, 'index.json'))) return [];
  const { decode } = openTokenizer(CORPUS);
  const tasks = readIndex(TASKS).tasks.map(({ name, file, sha256 }) => ({
    name,
    sha256,
    // The right answer only: a distractor may well be a text that training holds.
    texts: readItems(TASKS, { file }).map(({ context, choices, answer, word }) =>
      word === undefined ? context + choices?.[answer ?? 0] : context + word,
    ),
  }));
  function* trainingDocuments() {
    for (const domain of manifest.domains) {
      const bytes = read(domain, domain.train.shards);
      yield* decodeDocuments(bytes, manifest.tokenizer.eos_token_id, decode);
    }
  }
  const found = overlapOfTexts(
    tasks.flatMap(({ texts }) => texts),
    trainingDocuments(),
    WORD_RUN,
  );
  return tasks.map(({ name, sha256, texts }) => {
    const own = found.splice(0, texts.length);
    const compared = own.filter((shared) => shared !== undefined).length;
    const shared = own.filter(Boolean).length;
    console.log(
      `${name}: ${shared} of ${compared} items of ${WORD_RUN} words and more (${own.length} in all)`,
    );
    return { name, sha256, items: own.length, compared, shared };
  });
}

const report = {
  version: 1,
  manifest_sha256: sha256(manifestText),
  splits: measureSplits(),
  word_run: WORD_RUN,
  tasks: measureTasks(),
};
writeFileSync(join(CORPUS, 'contamination.json'), `${JSON.stringify(report, null, 1)}\n`);
