import { expect, test } from './fixtures';

test('the source model is chosen by name, parameters and size, and no other model’s weights are asked for', async ({
  page,
}) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto('/');
  await expect(page.getByRole('status').first()).toHaveText(/Ready/, { timeout: 60_000 });
  const source = page.getByRole('combobox', { name: 'Source model', exact: true });
  await expect(source.getByRole('option', { selected: true })).toHaveText(
    /^nano · \d+\s?k parameters · [\d.]+\s?MiB$/,
  );
  // A software adapter takes nano; this machine's may be none.
  const chosen = await source.inputValue();
  expect(asked.filter((path) => path.endsWith('.safetensors'))).toEqual([
    `/models/${chosen}/model.safetensors`,
  ]);
});
