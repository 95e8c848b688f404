import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corpusManifestSchema, parseCorpusManifest } from '../data/corpus';
import { loadTokenizer } from '../data/tokenizer';
import { parseTask, parseTaskIndex } from '../evaluation/task';
import { choiceTask, lastWordTask } from '../evaluation/testing';
import { brokenBytes, brokenDocument, brokenText, valueOrSentence } from '../formats/hostile.testing';
import { llamaConfigJson, parseLlamaConfig, readModelFolder } from '../formats/hugging-face';
import { parseJson } from '../formats/refusal';
import { parseSafetensors, writeSafetensors } from '../formats/safetensors';
import { smallConfig, smallTensors } from '../formats/testing';
import { parseRunLog } from './metrics-export';
import { defaultExperiment, experimentSchema, parseExperiment } from '../experiment/schema';

const bundled = (path: string) => readFileSync(new URL(`../../public/${path}`, import.meta.url), 'utf8');
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const config = smallConfig({
  ropeScaling: {
    type: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositionEmbeddings: 32,
  },
});
const configJson = {
  ...llamaConfigJson(config),
  rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 1e4 },
};
const weights = writeSafetensors(smallTensors(config), { made_by: 'test' });

/** A safetensors file with this header and as many values as the valid file has. */
function withHeader(header: unknown): Uint8Array {
  const text = json(header);
  const values = weights.subarray(8 + Number(new DataView(weights.buffer).getBigUint64(0, true)));
  const file = new Uint8Array(8 + text.length + values.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(values, 8 + text.length);
  return file;
}
const header = JSON.parse(
  new TextDecoder().decode(
    weights.subarray(8, 8 + Number(new DataView(weights.buffer).getBigUint64(0, true))),
  ),
) as Record<string, unknown>;

describe('whatever comes from outside becomes a value or one sentence', () => {
  it('config.json', () => {
    let refused = 0;
    fc.assert(
      fc.property(brokenDocument(configJson), (document) => {
        const parsed = valueOrSentence(() => parseLlamaConfig(document));
        if (!parsed) refused++;
        else {
          expect(Number.isInteger(parsed.numAttentionHeads / parsed.numKeyValueHeads)).toBe(true);
          expect(parsed.headDim % 2).toBe(0);
          for (const value of Object.values(parsed)) expect(value).not.toBe(undefined);
        }
      }),
      { numRuns: 2500 },
    );
    // Most changes touch a field that matters; a reader that accepts everything fails here.
    expect(refused).toBeGreaterThan(600);
  });

  it('config.json as text', () => {
    fc.assert(
      fc.property(brokenText(JSON.stringify(configJson)), (text) => {
        valueOrSentence(() => parseLlamaConfig(parseJson(text, 'config.json')));
      }),
      { numRuns: 500 },
    );
  });

  it('a safetensors header', () => {
    let refused = 0;
    fc.assert(
      fc.property(brokenDocument(header), (document) => {
        const tensors = valueOrSentence(() => parseSafetensors(withHeader(document)));
        if (!tensors) refused++;
        for (const { shape, data } of tensors?.values() ?? []) {
          expect(data.length).toBe(shape.reduce((product, extent) => product * extent, 1));
          expect(data.every(Number.isFinite)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('a safetensors file', () => {
    fc.assert(
      fc.property(brokenBytes(weights), (bytes) => {
        valueOrSentence(() => parseSafetensors(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('a model folder: whole or not at all', () => {
    const folder = fc.record({
      config: fc.oneof(fc.constant(configJson), brokenDocument(configJson)),
      header: fc.oneof(fc.constant(header), brokenDocument(header)),
    });
    fc.assert(
      fc.property(folder, (files) => {
        const model = valueOrSentence(() =>
          readModelFolder([
            { name: 'config.json', bytes: json(files.config) },
            { name: 'model.safetensors', bytes: withHeader(files.header) },
          ]),
        );
        if (model)
          expect([...model.tensors.keys()].sort()).toEqual([...smallTensors(model.config).keys()].sort());
      }),
      { numRuns: 1000 },
    );
  });

  it('an experiment', () => {
    let refused = 0;
    fc.assert(
      fc.property(brokenDocument(defaultExperiment()), (document) => {
        const experiment = valueOrSentence(() => parseExperiment(document));
        if (experiment) expect(experimentSchema.parse(experiment)).toEqual(experiment);
        else refused++;
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it.each([choiceTask, lastWordTask])('a task file of the form $form', ({ form, info, items }) => {
    let refused = 0;
    fc.assert(
      fc.property(brokenDocument({ name: info.name, items }), (document) => {
        const task = valueOrSentence(() => parseTask(info, document));
        if (!task) refused++;
        else {
          expect(task.form).toBe(form);
          if (task.form === 'choice') {
            for (const { choices, answer } of task.items) expect(choices[answer]).toBeTruthy();
          }
        }
      }),
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('a list of tasks', () => {
    const index = { version: 1, corpus_manifest_sha256: '0'.repeat(64), tasks: [choiceTask.info] };
    let refused = 0;
    fc.assert(
      fc.property(brokenDocument(index), (document) => {
        if (!valueOrSentence(() => parseTaskIndex(document))) refused++;
      }),
    );
    expect(refused).toBeGreaterThan(0);
  });

  it('a corpus manifest', () => {
    const manifest = JSON.parse(bundled('corpus/manifest.json')) as { domains: unknown[] };
    const short = { ...manifest, domains: manifest.domains.slice(0, 2) };
    fc.assert(
      fc.property(brokenDocument(short), (document) => {
        const parsed = valueOrSentence(() => parseCorpusManifest(document));
        for (const domain of parsed?.domains ?? []) {
          for (const { file } of [...domain.train.shards, domain.validation])
            expect(file).not.toMatch(/[/\\]|^\./);
        }
        if (parsed) expect(corpusManifestSchema.parse(parsed)).toEqual(parsed);
      }),
      { numRuns: 1500 },
    );
  });

  it('a tokenizer', () => {
    // The bundled one, cut to the bytes and the first merges so that a thousand copies are quick.
    const full = JSON.parse(bundled('corpus/tokenizer.json')) as {
      model: { vocab: Record<string, number>; merges: string[][] };
    };
    const vocab = Object.fromEntries(Object.entries(full.model.vocab).filter(([, id]) => id < 300));
    const merges = full.model.merges.filter((pair) => vocab[pair.join('')] !== undefined);
    const small = { ...full, model: { ...full.model, vocab, merges } };
    expect(loadTokenizer(small).decode(loadTokenizer(small).encode('it works'))).toBe('it works');
    fc.assert(
      fc.property(brokenDocument(small), fc.string({ unit: 'binary', maxLength: 12 }), (document, text) => {
        const tokenizer = valueOrSentence(() => loadTokenizer(document));
        if (!tokenizer) return;
        for (const id of tokenizer.encode(text)) {
          expect(Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('a run log', () => {
    const log = {
      format: 'shear-lab run',
      formatVersion: 1,
      header: {
        version: '1',
        model: 'nano',
        corpus: 'c',
        seed: 1,
        adapter: { vendor: '', architecture: '', description: '', software: true },
      },
      events: [
        {
          type: 'started',
          experiment: defaultExperiment(),
          source: { name: 'nano', config, parameters: 5 },
          domains: ['a', 'b'],
          adapter: { vendor: '', architecture: '', description: '', software: true },
          version: '1',
          referenceLoss: [1, 2],
          scalingLaw: { loss: [1.5, 2.5], parameters: 3, extrapolated: true },
          mixture: [0.5, 0.5],
        },
        {
          type: 'gates',
          step: 1,
          hidden: Array<number>(12).fill(255),
          heads: [
            [1, 2],
            [3, 4],
          ],
          intermediate: [Array<number>(10).fill(0), Array<number>(10).fill(1)],
          layers: [0, 255],
        },
        {
          type: 'evaluation',
          stage: 'prune',
          step: 1,
          tokens: 2,
          elapsedMs: 3,
          loss: [1, 2],
          mixture: [1, 0],
          // Gates may round to nothing for a while.
          shape: { numHiddenLayers: 1.5, hiddenSize: 12, numAttentionHeads: 0, intermediateSize: 0 },
        },
      ],
    };
    expect(parseRunLog(log).events).toHaveLength(3);
    fc.assert(
      fc.property(brokenDocument(log), (document) => {
        const parsed = valueOrSentence(() => parseRunLog(document));
        if (parsed) expect(parsed.events[0]!.type).toBe('started');
      }),
      { numRuns: 1500 },
    );
  });
});
