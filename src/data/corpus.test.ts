import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openCorpus, parseCorpusManifest, readHeldOut, type CorpusReader } from './corpus';

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (tokens: number[]) => new Uint8Array(Uint16Array.from(tokens).buffer);

function makeCorpus() {
  const files = new Map<string, Uint8Array>();
  const shard = (domain: string, file: string, tokens: number[]) => {
    const bytes = bytesOf(tokens);
    files.set(`${domain}/${file}`, bytes);
    return { file, tokens: tokens.length, sha256: hash(bytes) };
  };
  const domain = (name: string, weight: number) => ({
    name,
    title: name,
    description: 'for a test',
    weight,
    train: { tokens: 7, shards: [shard(name, '0.bin', [1, 2, 3]), shard(name, '1.bin', [4, 5, 6, 7])] },
    validation: { ...shard(name, 'v.bin', [9, 8]), documents: 1 },
    test: { ...shard(name, 't.bin', [8, 7, 0]), documents: 1 },
    characters_per_token: 3,
    sources: [
      {
        name: 's',
        package: 'p',
        version: '1',
        licence: 'CC0',
        attribution: 'nobody',
        documents: 1,
        characters: 9,
        sha256: hash(new Uint8Array()),
      },
    ],
  });
  const manifest = {
    version: 1,
    dtype: 'uint16',
    tokenizer: { file: 'tokenizer.json', sha256: hash(new Uint8Array()), vocab_size: 10, eos_token_id: 0 },
    domains: [domain('a', 3), domain('b', 1)],
  };
  const asked: string[] = [];
  const read: CorpusReader = async (path) => {
    asked.push(path);
    const bytes =
      path === 'manifest.json' ? new TextEncoder().encode(JSON.stringify(manifest)) : files.get(path);
    if (!bytes) throw new Error(`no ${path}`);
    return bytes.slice().buffer;
  };
  return { manifest, files, read, asked };
}

describe('openCorpus', () => {
  it('reads only as many shards as the run needs', async () => {
    const { read, asked } = makeCorpus();
    const progress: number[] = [];
    const { corpus } = await openCorpus(read, {
      trainTokens: 3,
      onProgress: (done, all) => progress.push(done / all),
    });
    expect(asked.sort()).toEqual(['a/0.bin', 'a/v.bin', 'b/0.bin', 'b/v.bin', 'manifest.json']);
    expect(corpus.domains[0]).toEqual({
      name: 'a',
      title: 'a',
      weight: 0.75,
      train: Uint16Array.of(1, 2, 3),
      validation: Uint16Array.of(9, 8),
    });
    expect(progress.at(-1)).toBe(1);
    const all = await openCorpus(read, { trainTokens: Infinity });
    expect([...all.corpus.domains[1]!.train]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect((await openCorpus(read, { trainTokens: 4 })).corpus.domains[0]!.train.length).toBe(7);
  });

  it('refuses a shard that is not the one described', async () => {
    const { files, read, manifest } = makeCorpus();
    files.set('a/0.bin', bytesOf([1, 2, 4]));
    await expect(openCorpus(read, { trainTokens: 1 })).rejects.toThrow('a/0.bin: it is not the file');
    files.set('a/0.bin', bytesOf([1, 2]));
    await expect(openCorpus(read, { trainTokens: 1 })).rejects.toThrow('a/0.bin: it has 4 bytes');
    files.set('a/0.bin', bytesOf([1, 2, 10]));
    manifest.domains[0]!.train.shards[0]!.sha256 = hash(bytesOf([1, 2, 10]));
    await expect(openCorpus(read, { trainTokens: 1 })).rejects.toThrow('token 2 is 10, but vocab_size is 10');
  });

  it('refuses manifests that could lead elsewhere or contradict themselves', () => {
    const broken = (change: (manifest: ReturnType<typeof makeCorpus>['manifest']) => void) => {
      const { manifest } = makeCorpus();
      change(manifest);
      return () => parseCorpusManifest(manifest);
    };
    expect(broken(() => {})).not.toThrow();
    expect(broken((m) => (m.domains[0]!.train.shards[0]!.file = '../../etc/passwd'))).toThrow(
      'manifest.json: domains[0].train.shards[0].file must be a plain file name without folders',
    );
    expect(broken((m) => (m.domains[1]!.name = 'a'))).toThrow('domains must not name a domain twice');
    expect(broken((m) => (m.tokenizer.eos_token_id = 10))).toThrow(
      'tokenizer.eos_token_id must be below vocab_size',
    );
    expect(broken((m) => (m.domains[0]!.weight = 0))).toThrow('domains[0].weight must be above 0');
    expect(broken((m) => (m.dtype = 'uint32'))).toThrow('dtype must be "uint16", not "uint32"');
    expect(broken((m) => m.domains.splice(0))).toThrow('domains must have at least 1 entries');
  });

  it('opens the bundled corpus', async () => {
    const folder = new URL('../../public/corpus/', import.meta.url);
    const read: CorpusReader = async (path) => {
      const bytes = await readFile(new URL(path, folder));
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    };
    const { corpus, manifest } = await openCorpus(read, { trainTokens: 100_000 });
    expect(corpus.domains).toHaveLength(7);
    for (const domain of corpus.domains) {
      expect(domain.validation.length).toBeGreaterThanOrEqual(50_000);
      expect(domain.train.length).toBeGreaterThanOrEqual(100_000);
      expect(domain.train.includes(manifest.tokenizer.eos_token_id)).toBe(true);
    }
    expect(corpus.domains.reduce((sum, d) => sum + d.weight, 0)).toBeCloseTo(1, 12);
  });
});

describe('readHeldOut', () => {
  it('reads the named split of one domain and nothing else', async () => {
    const { read, asked, manifest } = makeCorpus();
    const parsed = parseCorpusManifest(manifest);
    expect(await readHeldOut(read, parsed, 'b', 'test')).toEqual(Uint16Array.of(8, 7, 0));
    expect(await readHeldOut(read, parsed, 'a', 'validation')).toEqual(Uint16Array.of(9, 8));
    expect(asked).toEqual(['b/t.bin', 'a/v.bin']);
  });

  it('refuses a file that is not the one described, and an unknown domain', async () => {
    const { files, read, manifest } = makeCorpus();
    files.set('a/t.bin', bytesOf([8, 7, 1]));
    const parsed = parseCorpusManifest(manifest);
    await expect(readHeldOut(read, parsed, 'a', 'test')).rejects.toThrow('a/t.bin: it is not the file');
    expect(() => readHeldOut(read, parsed, 'c', 'test')).toThrow('no domain c');
  });
});
