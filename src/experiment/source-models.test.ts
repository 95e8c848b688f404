import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openCorpus } from '../data/corpus';
import { evaluationWindows } from '../data/sampler';
import { readModelFolder } from '../formats/hugging-face';
import { testGpu } from '../kernels/testing';
import { evaluateSets, evaluationBatch, meanLoss } from '../llama/evaluate';
import { withModel } from '../llama/inference';
import { packParameters, parameterLayout } from '../llama/parameters';

const FOLDER = 'public/models/nano';

it('the engine finds the loss on nano’s card, measured by PyTorch over a whole validation split', async () => {
  const { config, tensors } = readModelFolder(
    ['config.json', 'model.safetensors'].map((name) => ({ name, bytes: readFileSync(`${FOLDER}/${name}`) })),
  );
  const card = JSON.parse(readFileSync(`${FOLDER}/card.json`, 'utf8')) as {
    validation_loss: Record<string, number>;
    validation_windows: Record<string, number>;
  };
  const { corpus } = await openCorpus(
    (path) => Promise.resolve(new Uint8Array(readFileSync(`public/corpus/${path}`)).buffer),
    { trainTokens: 0 },
  );
  // The smallest domain: a sixth of a minute on a software adapter, where all seven take two and a half.
  const domain = corpus.domains.find(({ name }) => name === 'questions')!;
  const context = config.maxPositionEmbeddings;
  const windows = evaluationWindows(domain, context, Number.MAX_SAFE_INTEGER);
  expect(windows.windows).toBe(card.validation_windows['questions']);

  const model = { config, parameters: packParameters(parameterLayout(config), tensors) };
  const shape = { batch: evaluationBatch(context), context };
  const [sum] = await withModel(await testGpu(), 'nano', model, shape, (inference) =>
    evaluateSets(inference, [windows]),
  );
  // Both are f32 sums over 81,534 predictions; all seven domains agreed within 4e-6. The card has five decimals.
  expect(Math.abs(meanLoss(sum!) - card.validation_loss['questions']!)).toBeLessThan(5e-5);
});
