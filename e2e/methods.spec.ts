import { expect, test } from './fixtures';

/** Few, short steps: every dispatch is slow on a software adapter. */
const SHORT =
  'method=one-shot&retrain.batchSize=2&retrain.steps=6&contextLength=16&evaluation.interval=3&evaluation.windows=1&calibration.sequences=2&basis=own';

const RUNS = {
  'a depth method healed by adapters':
    'target.numHiddenLayers=5&target.hiddenSize=64&target.numAttentionHeads=4&target.intermediateSize=192&gates.hidden=false&gates.head=false&gates.intermediate=false&scores.layers=perplexity&retraining=lora&lora.rank=4&distillation.weight=0',
  'a width method with biases, taught by the source':
    'target.numHiddenLayers=6&target.hiddenSize=64&target.numAttentionHeads=3&target.intermediateSize=128&gates.layer=false&gates.hidden=false&scores.widths=flap&distillation.weight=1',
};

for (const [name, query] of Object.entries(RUNS)) {
  test(`${name} runs to its target`, async ({ page }) => {
    await page.goto(`/?${SHORT}&${query}`);
    const status = page.getByRole('status').first();
    await expect(status).toHaveText(/Ready/, { timeout: 60_000 });
    await page.getByRole('button', { name: 'Prune', exact: true }).click();
    await expect(status).toHaveText(/Finished/, { timeout: 120_000 });
    const target = new URLSearchParams(query);
    const shape = `${target.get('target.numHiddenLayers')} layers · hidden 64 · ${target.get('target.numAttentionHeads')} heads · MLP ${target.get('target.intermediateSize')}`;
    await expect(page.getByTestId('achieved-shape')).toHaveText(shape);
  });
}
