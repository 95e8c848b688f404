import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readModelList } from '../data/model-family';
import { openCorpus, type Domain } from '../data/corpus';
import { evaluationWindows } from '../data/sampler';
import { testGpu } from '../kernels/testing';
import { evaluateSets, evaluationBatch, meanLoss } from '../llama/evaluate';
import { withModel } from '../llama/inference';
import { weightsHash } from '../formats/weights-hash';
import { readMember } from './family';

const SITE = 'public';
const read = (path: string) => Promise.resolve(new Uint8Array(readFileSync(`${SITE}/${path}`)).buffer);
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

interface Card {
  parameters: number;
  context: number;
  validation_loss: Record<string, number>;
  validation_windows: Record<string, number>;
  validation_sample_windows: number;
  validation_loss_sample: Record<string, number>;
  corpus_tokenizer_sha256: string;
  weights_sha256: string;
}

const models = await readModelList(read);
const { corpus, manifest } = await openCorpus((path) => read(`corpus/${path}`), { trainTokens: 0 });

const cardOf = (name: string) => JSON.parse(readFileSync(`${SITE}/models/${name}/card.json`, 'utf8')) as Card;

/** Mean loss of the engine on `count` windows of each domain. */
async function losses(name: string, domains: readonly Domain[], count: number) {
  const model = await readMember(read, name);
  const context = model.config.maxPositionEmbeddings;
  const sets = domains.map((domain) => evaluationWindows(domain, context, count));
  const shape = { batch: evaluationBatch(context), context };
  const sums = await withModel(await testGpu(), name, model, shape, (inference) =>
    evaluateSets(inference, sets),
  );
  return sets.map(({ windows }, i) => ({ windows, loss: meanLoss(sums[i]!) }));
}

it('every model folder of the site is listed, and nothing else', () => {
  const folders = readdirSync(`${SITE}/models`, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(models.map(({ name }) => name).sort()).toEqual(folders.map(({ name }) => name).sort());
});

describe.each(models)('$name', ({ name, bytes, parameters }) => {
  it('is the model that its card and the list describe', async () => {
    const folder = `${SITE}/models/${name}`;
    const card = cardOf(name);
    // Written by scripts/pretrain/weights_hash.py.
    expect(await weightsHash(await readMember(read, name))).toBe(card.weights_sha256);
    expect(readFileSync(`${folder}/model.safetensors`).byteLength).toBe(bytes);
    expect(card.parameters).toBe(parameters);
    expect(sha256(`${folder}/tokenizer.json`)).toBe(manifest.tokenizer.sha256);
    expect(card.corpus_tokenizer_sha256).toBe(manifest.tokenizer.sha256);
  });

  it('has in the engine the losses that PyTorch wrote on its card', async () => {
    const card = cardOf(name);
    const measured = await losses(name, corpus.domains, card.validation_sample_windows);
    // Both are f32 sums over 4,080 predictions: on all of nano's validation text they agreed within 4e-6. The
    // card has five decimals.
    corpus.domains.forEach((domain, i) => {
      expect(Math.abs(measured[i]!.loss - card.validation_loss_sample[domain.name]!)).toBeLessThan(5e-5);
    });
  });
});

it('finds the loss of a whole split on nano’s card', async () => {
  const card = cardOf('nano');
  // The smallest domain: a sixth of a minute on a software adapter, where all seven take two and a half.
  const domain = corpus.domains.find(({ name }) => name === 'questions')!;
  const [whole] = await losses('nano', [domain], Number.MAX_SAFE_INTEGER);
  expect(whole!.windows).toBe(card.validation_windows['questions']);
  expect(Math.abs(whole!.loss - card.validation_loss['questions']!)).toBeLessThan(5e-5);
});
