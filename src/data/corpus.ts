import { z } from 'zod';
import { MOST_DOMAINS } from '../fields/domains';
import { checked, parseJson, plain, refuse, wholeNumber } from '../formats/refusal';
import { sha256Of } from '../formats/sha256';

/** Paths come from the manifest: one level of plain names, so that no manifest can point elsewhere. */
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, { error: 'must be a plain file name without folders' });
const domainName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, { error: 'must be a short lower-case name' });
const text = (max: number) => z.string().max(max);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' });
const tokenCount = wholeNumber(1, 2 ** 31);

const shardSchema = z.looseObject({ file: fileName, tokens: tokenCount, sha256 });
const heldOutSchema = shardSchema.extend({ documents: wholeNumber(1, 2 ** 31) });
const sourceSchema = z.looseObject({
  name: text(200),
  package: text(200),
  version: text(100),
  licence: text(300),
  attribution: text(1000),
  homepage: z
    .string()
    .max(500)
    .regex(/^https?:\/\//, { error: 'must be a web address' })
    .optional(),
  documents: wholeNumber(0, 2 ** 31),
  characters: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  sha256,
});
const domainSchema = z.looseObject({
  name: domainName,
  title: text(60),
  description: text(500),
  /** The corpus' own proportion: what mixture `constant` samples with and `dynamic` starts from. */
  weight: z.number().positive({ error: 'must be above 0' }).max(1000),
  train: z.looseObject({ tokens: tokenCount, shards: z.array(shardSchema).min(1).max(10_000) }),
  /** Held out and looked at while a run goes on: curves, and the mixture's updates. */
  validation: heldOutSchema,
  /** Held out for tasks and for the final evaluation; no run reads it. */
  test: heldOutSchema,
  characters_per_token: z.number().positive(),
  sources: z.array(sourceSchema).min(1).max(100),
});

/** public/corpus/manifest.json; shard files lie in a folder of their domain's name. */
export const corpusManifestSchema = z
  .looseObject({
    version: z.literal(1),
    dtype: z.literal('uint16'),
    tokenizer: z.looseObject({
      file: fileName,
      sha256,
      vocab_size: wholeNumber(2, 65_536),
      eos_token_id: wholeNumber(0, 65_535),
    }),
    domains: z.array(domainSchema).min(1).max(MOST_DOMAINS),
  })
  .refine((m) => new Set(m.domains.map((d) => d.name)).size === m.domains.length, {
    path: ['domains'],
    error: 'must not name a domain twice',
  })
  .refine((m) => m.tokenizer.eos_token_id < m.tokenizer.vocab_size, {
    path: ['tokenizer', 'eos_token_id'],
    error: 'must be below vocab_size',
  });

export type CorpusManifest = z.infer<typeof corpusManifestSchema>;

export interface Domain {
  name: string;
  title: string;
  /** Share of the corpus' own proportions; all domains' weights sum to 1. */
  weight: number;
  /** Documents one after the other, each ended by the end token. */
  train: Uint16Array;
  validation: Uint16Array;
}

export interface Corpus {
  domains: Domain[];
  vocabSize: number;
  eosTokenId: number;
}

/** Reads a file of the corpus by its path under public/corpus: fetch in the page, the disk in Node. */
export type CorpusReader = (path: string) => Promise<ArrayBuffer>;

export interface CorpusOptions {
  /** As many shards are read as give each domain this many training tokens (or all that it has). */
  trainTokens: number;
  onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

const MANIFEST = 'manifest.json';

/** Checks a manifest. @throws InputError in one sentence that names the field. */
export function parseCorpusManifest(json: unknown): CorpusManifest {
  return checked(corpusManifestSchema, json, MANIFEST);
}

/** Reads little-endian 16-bit tokens and checks their number, their hash and that each is in the vocabulary. */
async function readShard(
  read: CorpusReader,
  path: string,
  shard: z.infer<typeof shardSchema>,
  vocabSize: number,
): Promise<Uint16Array> {
  const bytes = await read(path);
  if (bytes.byteLength !== shard.tokens * 2) {
    refuse(path, `it has ${bytes.byteLength} bytes, but ${MANIFEST} says ${shard.tokens} tokens of 2 bytes`);
  }
  const digest = await sha256Of(bytes);
  // Without digests (over plain http) the other checks have to do.
  if (digest !== null && digest !== shard.sha256) {
    refuse(path, `it is not the file that ${MANIFEST} describes (sha256); build the corpus again or reload`);
  }
  const tokens = new Uint16Array(bytes);
  const bad = tokens.findIndex((token) => token >= vocabSize);
  if (bad >= 0) refuse(path, `token ${bad} is ${tokens[bad]}, but vocab_size is ${vocabSize}`);
  return tokens;
}

const shardPath = (domain: { name: string }, shard: { file: string }) =>
  `${plain(domain.name)}/${shard.file}`;

/** Which of a domain's shards give `trainTokens` tokens, or all of them. */
function shardsFor(domain: CorpusManifest['domains'][number], trainTokens: number) {
  const { shards } = domain.train;
  let tokens = 0;
  const enough = shards.findIndex((shard) => (tokens += shard.tokens) >= trainTokens);
  return enough < 0 ? shards : shards.slice(0, enough + 1);
}

/**
 * Loads the manifest, every domain's validation split and as much training text as asked for. The same
 * `trainTokens` gives the same arrays, so a run that is resumed samples the same windows.
 *
 * @throws InputError if a file is not what the manifest says; whatever `read` throws.
 */
export async function openCorpus(
  read: CorpusReader,
  options: CorpusOptions,
): Promise<{ corpus: Corpus; manifest: CorpusManifest }> {
  const manifest = parseCorpusManifest(parseJson(await read(MANIFEST), MANIFEST, 4e6));
  const vocabSize = manifest.tokenizer.vocab_size;
  const wanted = manifest.domains.map((domain) => shardsFor(domain, options.trainTokens));
  const totalBytes = manifest.domains.reduce(
    (sum, domain, i) =>
      sum + 2 * (domain.validation.tokens + wanted[i]!.reduce((s, shard) => s + shard.tokens, 0)),
    0,
  );
  let loadedBytes = 0;
  const load = async (domain: { name: string }, shard: z.infer<typeof shardSchema>) => {
    const tokens = await readShard(read, shardPath(domain, shard), shard, vocabSize);
    loadedBytes += tokens.byteLength;
    options.onProgress?.(loadedBytes, totalBytes);
    return tokens;
  };
  const totalWeight = manifest.domains.reduce((sum, domain) => sum + domain.weight, 0);
  const domains = await Promise.all(
    manifest.domains.map(async (domain, i): Promise<Domain> => {
      const { name, title, weight, validation } = domain;
      const [held, ...parts] = await Promise.all(
        [validation, ...wanted[i]!].map((shard) => load(domain, shard)),
      );
      const train = new Uint16Array(parts.reduce((sum, part) => sum + part.length, 0));
      let offset = 0;
      for (const part of parts) {
        train.set(part, offset);
        offset += part.length;
      }
      return { name, title, weight: weight / totalWeight, train, validation: held! };
    }),
  );
  return { corpus: { domains, vocabSize, eosTokenId: manifest.tokenizer.eos_token_id }, manifest };
}

/**
 * Reads one held-out split of one domain: documents one after the other, each ended by the end token.
 *
 * @throws InputError if the file is not what the manifest says; Error if the manifest has no such domain;
 *   whatever `read` throws.
 */
export function readHeldOut(
  read: CorpusReader,
  manifest: CorpusManifest,
  domainName: string,
  split: 'validation' | 'test',
): Promise<Uint16Array> {
  const domain = manifest.domains.find(({ name }) => name === domainName);
  if (!domain) throw new Error(`The corpus has no domain ${domainName}.`);
  return readShard(read, shardPath(domain, domain[split]), domain[split], manifest.tokenizer.vocab_size);
}
