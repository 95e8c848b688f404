import { expect, test } from './fixtures';

test('without WebGPU the page says what to do, and Prune waits', async ({ page }) => {
  await page.addInitScript(() => {
    delete (Navigator.prototype as unknown as Record<string, unknown>)['gpu'];
  });
  await page.goto('/');
  await expect(page.getByText(/no WebGPU: to prune, open the lab in a current Chrome/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Prune', exact: true })).toBeDisabled();
  await expect(page.getByRole('status')).toHaveText(/Replay only/);
});

test('embed=1 shows the bench without the controls, and stays in the address', async ({ page }) => {
  await page.goto('/?embed=1&seed=5');
  await expect(page.getByRole('region', { name: 'Anatomy', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Prune', exact: true })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Target shape', exact: true })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Share', exact: true })).toHaveCount(0);
  expect(new URL(page.url()).searchParams.get('embed')).toBe('1');
});

test('the corpus names every source with its licence', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Corpus', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Corpus' });
  await expect(dialog.getByRole('heading', { level: 3 })).toHaveCount(7);
  await expect(dialog.getByRole('cell', { name: 'PSF-2.0' }).first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('a key lists the keys; typing a question mark does not', async ({ page }) => {
  await page.goto('/');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await page.getByLabel('Prompt').press('?');
  await expect(dialog).toBeHidden();
  await page.getByLabel('Prompt').blur();
  await page.keyboard.press('?');
  await expect(dialog).toBeVisible();
});

test('every setting of the form reaches the address, and its dot takes it back', async ({ page }) => {
  await page.goto('/');
  await page.getByText('Data, evaluation, seed', { exact: true }).click();
  const seed = page.getByRole('spinbutton', { name: 'Seed', exact: true });
  await seed.fill('23');
  await expect.poll(() => new URL(page.url()).searchParams.get('seed')).toBe('23');
  await seed.fill('-1');
  await expect(page.getByText('Seed takes a whole number from 0 to 4294967295.')).toBeVisible();
  await seed.press('Escape');
  await expect(seed).toHaveValue('23');
  await page.getByRole('button', { name: 'Default of Seed: 17' }).click();
  await expect.poll(() => new URL(page.url()).search).toBe('');
});

test('a folder that is no model gets one sentence, and the source stays', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('status')).toHaveText('Ready', { timeout: 60_000 });
  const files = (names: string[]) =>
    names.map((name) => ({ name, mimeType: 'application/json', buffer: Buffer.from('{"hidden_size": -4}') }));
  const source = page.getByRole('combobox', { name: 'Source model', exact: true });
  const input = page.getByLabel('Model folder');
  // A folder chooser takes folders only; here the files are given one by one.
  await input.evaluate((element) => element.removeAttribute('webkitdirectory'));
  await input.setInputFiles(files(['notes.json']));
  await expect(page.getByRole('alert').filter({ hasText: 'no config.json' })).toBeVisible();
  await expect(source).toHaveValue('nano');
  await input.setInputFiles(files(['config.json', 'model.safetensors']));
  await expect(page.getByRole('alert').filter({ hasText: 'config.json: vocab_size' })).toBeVisible();
  // What was open before is still open.
  await expect(source).toHaveValue('nano');
  await expect(page.getByRole('status')).toHaveText('Ready');
  await expect(page.getByRole('slider', { name: 'Layers', exact: true })).toBeVisible();
});

test('a link to a model that is not here falls back, and says so once', async ({ page }) => {
  await page.goto('/?source=llama-9000');
  await expect(page.getByText('There is no source model “llama-9000” here: nano is used.')).toBeVisible();
  await expect(page.getByRole('status')).toHaveText('Ready', { timeout: 60_000 });
});
