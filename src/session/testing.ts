import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadTokenizer } from '../data/tokenizer';
import { experimentSchema, type Experiment } from '../experiment/schema';
import { writeModelFolder } from '../formats/hugging-face';
import { smallConfig, smallTensors, valuesOf } from '../formats/testing';
import type { LlamaConfig } from '../llama/config';
import { openMemoryStore } from '../storage/memory-store';
import type { LabEnvironment } from './environment';
import { createLab } from './lab';
import type { Command, Report } from './protocol';

/** For tests: a site of one small model and a small corpus of two domains, in memory. */

const tokenizerText = await readFile(new URL('../../public/corpus/tokenizer.json', import.meta.url), 'utf8');
const encoder = new TextEncoder();
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export const CONFIG = smallConfig({
  vocabSize: 2048,
  hiddenSize: 16,
  numHiddenLayers: 2,
  numKeyValueHeads: 4,
  headDim: 4,
  intermediateSize: 24,
  bosTokenId: 0,
  eosTokenId: 0,
});

/** The files of a model; `tokenizer` is its tokenizer.json, null for none. */
export function modelFiles(config: LlamaConfig = CONFIG, tokenizer: string | null = tokenizerText) {
  const tensors = valuesOf(smallTensors(config));
  for (const values of tensors.values()) for (let i = 0; i < values.length; i++) values[i]! *= 0.3;
  const files = writeModelFolder(config, tensors).map(({ name, bytes }) => ({ name, bytes: bytes.buffer }));
  if (tokenizer !== null) files.push({ name: 'tokenizer.json', bytes: encoder.encode(tokenizer).buffer });
  return files;
}

/** The same words under other numbers, in a vocabulary of the same size. */
export function otherTokenizer(): string {
  const json = JSON.parse(tokenizerText) as { model: { vocab: Record<string, number> } };
  const { vocab } = json.model;
  [vocab['a'], vocab['e']] = [vocab['e']!, vocab['a']!];
  return JSON.stringify(json);
}

function corpusFiles(): Map<string, Uint8Array<ArrayBuffer>> {
  const { encode } = loadTokenizer(JSON.parse(tokenizerText));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const write = (path: string, bytes: Uint8Array<ArrayBuffer>) => {
    files.set(`corpus/${path}`, bytes);
    return { file: path.split('/').at(-1)!, sha256: hash(bytes) };
  };
  const shard = (path: string, text: string) => {
    const tokens = encode(text);
    return { ...write(path, new Uint8Array(Uint16Array.from(tokens).buffer)), tokens: tokens.length };
  };
  const lines = (from: number, to: number, line: (i: number) => string) =>
    Array.from({ length: to - from }, (_, i) => line(from + i)).join('\n');
  const domain = (name: string, line: (i: number) => string) => {
    const shards = [0, 1, 2, 3].map((i) => shard(`${name}/${i}.bin`, lines(i * 20, i * 20 + 20, line)));
    const facts = {
      licence: 'CC0',
      attribution: 'nobody',
      documents: 1,
      characters: 9,
      sha256: hash(encoder.encode(name)),
    };
    return {
      name,
      title: name,
      description: 'made for a test',
      weight: 1,
      train: { tokens: shards.reduce((sum, { tokens }) => sum + tokens, 0), shards },
      validation: { ...shard(`${name}/v.bin`, lines(100, 120, line)), documents: 1 },
      test: { ...shard(`${name}/t.bin`, lines(120, 140, line)), documents: 1 },
      characters_per_token: 3,
      sources: [{ name, package: name, version: '1', ...facts }],
    };
  };
  const manifest = {
    version: 1,
    dtype: 'uint16',
    tokenizer: {
      ...write('tokenizer.json', encoder.encode(tokenizerText)),
      vocab_size: 2048,
      eos_token_id: 0,
    },
    domains: [
      domain('sums', (i) => `${i} plus ${i + 1} is ${2 * i + 1} .`),
      domain('songs', (i) => `${i} green bottles hanging on the wall, and if one should fall`),
    ],
  };
  write('manifest.json', encoder.encode(JSON.stringify(manifest)));
  return files;
}

/** Every file of the site by path; a test may change it. */
export function siteFiles(): Map<string, ArrayBuffer> {
  const site = new Map<string, ArrayBuffer>();
  for (const [path, bytes] of corpusFiles()) site.set(path, bytes.buffer);
  for (const { name, bytes } of modelFiles()) site.set(`models/tiny/${name}`, bytes);
  site.set('models/tiny/tokenizer_config.json', encoder.encode('{}').buffer);
  return site;
}

export function smallExperiment(steps: number, retrain = 2): Experiment {
  return experimentSchema.parse({
    source: 'tiny',
    target: { numHiddenLayers: 1, hiddenSize: 10, numAttentionHeads: 2, intermediateSize: 13 },
    prune: { steps, batchSize: 2 },
    retrain: { steps: retrain, batchSize: 2 },
    contextLength: 8,
    evaluation: { interval: 2, windows: 2 },
  });
}

/** A lab over such a site, what it reported, and a way to wait for a report. */
export function openLab(gpu: GPU, site = siteFiles(), store = openMemoryStore('kept for a test')) {
  const reports: Report[] = [];
  const asked: string[] = [];
  const listeners = new Set<() => void>();
  const environment: LabEnvironment = {
    gpu,
    openStore: async () => store,
    async read(path, { onProgress } = {}) {
      asked.push(path);
      const bytes = site.get(path);
      if (!bytes) throw new Error(`The file ${path} could not be loaded.`);
      onProgress?.(bytes.byteLength, bytes.byteLength);
      return bytes.slice(0);
    },
    post(report) {
      reports.push(report);
      for (const listener of listeners) listener();
    },
  };
  const lab = createLab(environment);
  /** Resolves when a report from `from` on passes. */
  const until = (passes: (report: Report) => boolean, from = 0) =>
    new Promise<Report>((resolve) => {
      const look = () => {
        const found = reports.slice(from).find(passes);
        if (!found) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      look();
    });
  const settled = (from = 0) =>
    until((r) => (r.type === 'status' && r.status === 'finished') || r.type === 'failed', from);
  const send = (command: Command) => lab.handle(command);
  return {
    environment,
    reports,
    asked,
    until,
    send,
    /** The identifier of the run that told something last. */
    lastRun: () => reports.findLast((r) => r.type === 'events')?.run ?? '',
    of: <T extends Report['type']>(type: T) =>
      reports.filter((r): r is Extract<Report, { type: T }> => r.type === type),
    open: () => send({ type: 'open', source: 'tiny', baseUrl: '/' }),
    /** Runs to the end; resolves with what the run reported. */
    async run(experiment: Experiment) {
      const from = reports.length;
      await send({ type: 'start', plan: { experiment, interventions: [] } });
      await settled(from);
      return reports.slice(from).flatMap((r) => (r.type === 'events' ? r.events : []));
    },
  };
}
