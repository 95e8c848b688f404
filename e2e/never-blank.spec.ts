import { readFileSync } from 'node:fs';
import { expect, test as base } from '@playwright/test';

/** Requests fail here on purpose, so console errors are expected; exceptions that nobody caught are not. */
const test = base.extend<{ noExceptions: void }>({
  noExceptions: [
    async ({ page }, use) => {
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      await use();
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
});

const CHARTS = /\/assets\/charts-[^/]*\.js$/;

test('a missing chunk is one sentence in its panel, and the rest of the page lives', async ({ page }) => {
  await page.route(CHARTS, (route) => route.abort());
  await page.goto('/?seed=5');
  const charts = page.getByRole('region', { name: 'Charts', exact: true });
  await expect(charts.getByRole('alert')).toHaveText(
    /^“Charts” could not be loaded: .* a reload takes up\.$/,
  );
  await expect(page.getByRole('slider', { name: 'Layers', exact: true })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Anatomy', exact: true })).toBeVisible();
  await charts.getByText('Detail', { exact: true }).click();
  await expect(charts.getByText(/charts-/).last()).toBeVisible();

  // The settings survive the reload, and one that did not help is not offered again.
  await page.getByRole('slider', { name: 'Hidden size', exact: true }).press('ArrowLeft');
  const chosen = await page
    .getByRole('slider', { name: 'Hidden size', exact: true })
    .getAttribute('aria-valuenow');
  await charts.getByRole('button', { name: 'Reload the page' }).click();
  await expect(charts.getByRole('alert')).toHaveText(/still missing after a reload/);
  await expect(charts.getByRole('button', { name: 'Reload the page' })).toHaveCount(0);
  await expect(page.getByRole('slider', { name: 'Hidden size', exact: true })).toHaveAttribute(
    'aria-valuenow',
    chosen!,
  );
  expect(new URL(page.url()).searchParams.get('seed')).toBe('5');

  await page.unroute(CHARTS);
  await charts.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('region', { name: 'Loss by domain', exact: true })).toBeVisible();
});

test('without its script the page says so', async ({ page }) => {
  await page.route(/\/assets\/index-[^/]*\.js$/, (route) => route.abort());
  await page.goto('/');
  await expect(page.getByText('If this sentence stays, a file of the site is missing')).toBeVisible();
});

for (const keeps of [true, false]) {
  test(`a browser that keeps ${keeps ? 'runs lets the page go' : 'none asks before a run is lost'}`, async ({
    page,
  }) => {
    const asks = () =>
      page.evaluate(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })));
    if (!keeps) {
      await page.route(/\/assets\/worker-[^/]*\.js$/, async (route) => {
        const response = await route.fetch();
        const body = `delete FileSystemFileHandle.prototype.move;${await response.text()}`;
        await route.fulfill({ response, body });
      });
    }
    await page.goto('/?prune.steps=200&prune.batchSize=2&contextLength=32&evaluation.windows=2');
    const status = page.getByRole('status').first();
    await expect(status).toHaveText(/Ready/, { timeout: 60_000 });
    expect(await asks()).toBe(false);
    await page.getByRole('button', { name: 'Prune', exact: true }).click();
    await expect(status).toHaveText(/Pruning, step/, { timeout: 120_000 });
    await expect.poll(asks).toBe(!keeps);
    await expect(page.getByText(/keeps no files for this page/)).toHaveCount(keeps ? 0 : 1);
    await page.getByRole('button', { name: 'Reset', exact: true }).click();
    await expect(status).toHaveText(/Ready/, { timeout: 60_000 });
    expect(await asks()).toBe(false);
  });
}

const model = (file: string) => readFileSync(`public/models/nano/${file}`);

for (const pattern of ['(a+)+$', '([^x]|[^y]|[^w])*z']) {
  test(`a tokenizer whose rules never end (${pattern}) is refused, and the lab goes on`, async ({ page }) => {
    await page.goto('/');
    const status = page.getByRole('status').first();
    await expect(status).toHaveText('Ready', { timeout: 60_000 });
    const tokenizer = JSON.parse(model('tokenizer.json').toString()) as Record<string, unknown>;
    tokenizer['pre_tokenizer'] = {
      type: 'Split',
      pattern: { Regex: pattern },
      behavior: 'Isolated',
      invert: false,
    };
    const input = page.getByLabel('Model folder');
    await input.evaluate((element) => element.removeAttribute('webkitdirectory'));
    await input.setInputFiles([
      { name: 'config.json', mimeType: 'application/json', buffer: model('config.json') },
      { name: 'model.safetensors', mimeType: 'application/octet-stream', buffer: model('model.safetensors') },
      {
        name: 'tokenizer.json',
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify(tokenizer)),
      },
    ]);
    const alert = page
      .getByRole('alert')
      .filter({ hasText: 'tokenizer.json: its rules (regular expressions)' });
    await expect(alert).toHaveText(/did not end within 10 s, so the engine was ended/, { timeout: 40_000 });
    await page.getByRole('button', { name: 'Open the model again' }).click();
    await expect(status).toHaveText('Ready', { timeout: 60_000 });
    await expect(page.getByRole('combobox', { name: 'Source model', exact: true })).toHaveValue('nano');
  });
}

test('an engine that does not answer is reported, and Reset opens a fresh one', async ({ page }) => {
  test.slow();
  // The first worker opens its model and then hears nothing more, pings included.
  await page.addInitScript(() => {
    let workers = 0;
    const Original = Worker;
    globalThis.Worker = class extends Original {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        if (workers++ > 0) return;
        const post = this.postMessage.bind(this) as (message: { type: string }) => void;
        this.postMessage = (message: { type: string }) => void (message.type === 'open' && post(message));
      }
    };
  });
  await page.goto('/');
  const status = page.getByRole('status').first();
  await expect(status).toHaveText('Ready', { timeout: 60_000 });
  await expect(status).toHaveText(/The engine does not answer/, { timeout: 40_000 });
  await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Reset' }).click();
  await expect(page.getByText(/did not answer Reset, so it was ended/)).toBeVisible({ timeout: 20_000 });
  await expect(status).toHaveText('Ready', { timeout: 60_000 });
});
