import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';

/** Few, small steps: the software adapter is slow but exact. What is not named here is the default. */
const SMALL =
  '/?prune.steps=12&retrain.steps=4&prune.batchSize=2&retrain.batchSize=2&contextLength=32&evaluation.interval=4&evaluation.windows=2';

async function moveTo(page: Page, name: string, key: 'ArrowLeft' | 'ArrowRight', presses: number) {
  const slider = page.getByRole('slider', { name, exact: true });
  await slider.focus();
  for (let i = 0; i < presses; i++) await slider.press(key);
  return Number(await slider.getAttribute('aria-valuenow'));
}

/** The rows of a chart's table, cell by cell. */
async function tableOf(page: Page, region: string): Promise<string[][]> {
  const panel = page.getByRole('region', { name: region, exact: true });
  const toggle = panel.getByRole('button', { name: `${region} as a table`, exact: true });
  await toggle.click();
  const rows = await panel.getByRole('row').all();
  const cells = await Promise.all(rows.map((row) => row.getByRole('cell').allTextContents()));
  await toggle.click();
  return cells.filter((row) => row.length > 0);
}

test('a visitor prunes nano to exactly the shape asked for, and it writes', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(SMALL);
  const status = page.getByRole('status').first();
  await expect(status).toHaveText(/Ready/, { timeout: 60_000 });

  const target = {
    layers: await moveTo(page, 'Layers', 'ArrowLeft', 1),
    hidden: await moveTo(page, 'Hidden size', 'ArrowLeft', 2),
    heads: await moveTo(page, 'Attention heads', 'ArrowLeft', 1),
    mlp: await moveTo(page, 'MLP width', 'ArrowRight', 1),
  };
  expect(target.layers).toBe(3);
  expect(target.heads).toBe(2);
  expect(target.hidden).toBeLessThan(48);
  expect(target.mlp).toBeGreaterThan(128);
  await expect
    .poll(() => new URL(page.url()).searchParams.get('target.numHiddenLayers'))
    .toBe(String(target.layers));

  await page.getByRole('button', { name: 'Prune', exact: true }).click();
  await expect(status).toHaveText(/Pruning|Loading|Measuring/, { timeout: 60_000 });
  await expect(status).toHaveText(/Finished/, { timeout: 240_000 });

  const shape = `${target.layers} layers · hidden ${target.hidden} · ${target.heads} heads · MLP ${target.mlp}`;
  await expect(page.getByTestId('achieved-shape')).toHaveText(shape);

  const mixture = await tableOf(page, 'Mixture');
  const weights = mixture.map((row) => row.slice(-7).join(' '));
  expect(new Set(weights).size).toBeGreaterThan(1);

  const writing = page.getByRole('region', { name: 'Generation', exact: true });
  await writing.getByLabel('Tokens').fill('12');
  await writing.getByRole('button', { name: 'Write', exact: true }).click();
  for (const model of ['source', 'pruned']) {
    const text = writing.getByLabel(`Text of the ${model} model`);
    await expect(text).toHaveText(/\S{3}/, { timeout: 60_000 });
    // It grows at its end and stays at its beginning.
    expect(await text.evaluate((element) => element.scrollTop)).toBe(0);
  }

  const loss = page.getByRole('region', { name: 'Loss by domain', exact: true });
  await page.getByRole('button', { name: 'Overlay Recorded run' }).click();
  await expect(loss.getByText(/^nano to .*Recorded run$/)).toBeVisible();
  await expect.poll(() => loss.locator('.recharts-line-dot').count()).toBeGreaterThan(7);

  const comparison = page.getByRole('region', { name: 'Comparison', exact: true });
  // A software adapter takes minutes for these two.
  for (const name of [/^From scratch/, /^Tasks/]) await comparison.getByLabel(name).uncheck();
  await comparison.getByRole('button', { name: 'Compare', exact: true }).click();
  await expect(comparison.getByRole('columnheader', { name: 'Retrained' })).toBeVisible({ timeout: 120_000 });
  await expect(comparison.getByRole('row', { name: /^Hidden size/ }).getByRole('cell')).toHaveText([
    '64',
    String(target.hidden),
    String(target.hidden),
  ]);

  // The address is the document: the same settings after a reload.
  await page.reload();
  await expect(status).toHaveText(/Ready/, { timeout: 60_000 });
  for (const [name, value] of [
    ['Layers', target.layers],
    ['Hidden size', target.hidden],
    ['Attention heads', target.heads],
    ['MLP width', target.mlp],
  ] as const) {
    await expect(page.getByRole('slider', { name, exact: true })).toHaveAttribute(
      'aria-valuenow',
      String(value),
    );
  }
  expect(new URL(page.url()).searchParams.get('prune.steps')).toBe('12');
});

test('pause holds the run, a step is one step, reset drops it', async ({ page }) => {
  await page.goto(SMALL);
  const status = page.getByRole('status').first();
  await expect(status).toHaveText(/Ready/, { timeout: 60_000 });
  await page.getByRole('button', { name: 'Prune', exact: true }).click();
  await expect(status).toHaveText(/Pruning, step/, { timeout: 120_000 });
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await expect(status).toHaveText(/Paused/);
  const before = await pausedStep(page);
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await expect.poll(() => pausedStep(page), { timeout: 90_000 }).toBe(before + 1);
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await expect(status).toHaveText(/Ready/);
});

/** The step that a paused run stands at, once what was in flight has come back. */
async function pausedStep(page: Page): Promise<number> {
  const read = async () =>
    Number(/step (\d+)/.exec((await page.getByRole('status').first().textContent()) ?? '')?.[1] ?? -1);
  // A step takes a second or two here, an evaluation several: quiet for eight means that nothing is under way.
  let last = await read();
  let since = Date.now();
  while (Date.now() - since < 8000) {
    await page.waitForTimeout(500);
    const now = await read();
    if (now !== last) since = Date.now();
    last = now;
  }
  return last;
}
