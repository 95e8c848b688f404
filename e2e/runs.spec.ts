import AxeBuilder from '@axe-core/playwright';
import type { Download, Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures';

/** Few, small steps, and a checkpoint after every second: the software adapter is slow but exact. */
const SMALL =
  '/?prune.steps=60&retrain.steps=4&prune.batchSize=2&retrain.batchSize=2&contextLength=32&evaluation.interval=6&evaluation.windows=1&checkpoint.interval=2';

const status = (page: Page) => page.getByRole('status').first();
const runs = (page: Page) => page.getByRole('region', { name: 'Runs', exact: true });
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });

async function open(page: Page, address: string) {
  await page.goto(address);
  await expect(status(page)).toHaveText(/Ready/, { timeout: 60_000 });
}

/** Waits until the run that goes on has done so many steps. */
async function untilStep(page: Page, step: number) {
  await expect
    .poll(
      async () => {
        const text = (await status(page).textContent()) ?? '';
        return text === 'Finished' ? Infinity : Number(/step (\d+)/.exec(text)?.[1] ?? 0);
      },
      { timeout: 120_000, intervals: [100] },
    )
    .toBeGreaterThanOrEqual(step);
}

/** Drags a slider with the pointer, by a share of its track. */
async function drag(page: Page, name: string, by: number) {
  const thumb = page.getByRole('slider', { name, exact: true });
  await thumb.scrollIntoViewIfNeeded();
  const box = (await thumb.boundingBox())!;
  const track = (await page.locator('.rulers .slider-track').first().boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + by * track.width, y, { steps: 8 });
  await page.mouse.up();
}

/** What axe finds of weight. */
async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

async function textOf(download: Download): Promise<string> {
  return readFile(await download.path(), 'utf8');
}

/** The shown run's log, a line an event, without the time that it took. */
async function log(page: Page): Promise<string[]> {
  await button(page, 'Export').click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'Metrics as JSON' }).click();
  const { events } = JSON.parse(await textOf(await downloading)) as { events: object[] };
  return events.map((event) => JSON.stringify({ ...event, elapsedMs: 0 }));
}

const changes = (page: Page) =>
  page.getByRole('region', { name: 'Changes on the way' }).getByRole('listitem');

test('a run that is changed three times and killed twice replays from its link, line by line', async ({
  page,
  browser,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(page, SMALL);
  await button(page, 'Prune').click();
  await untilStep(page, 1);
  await drag(page, 'Hidden size', -0.3);
  await expect(changes(page).first()).toContainText(/^Step \d+: Hidden size 48 → \d+/, { timeout: 60_000 });
  await untilStep(page, 12);
  await page.reload();
  const goOn = page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Go on' });
  await expect(page.getByText(/was interrupted at step \d+ of 64/)).toBeVisible({ timeout: 30_000 });
  await goOn.click();
  await untilStep(page, 12);
  await drag(page, 'MLP width', 0.2);
  await expect(changes(page).filter({ hasText: 'MLP width 128' })).toHaveCount(1, { timeout: 60_000 });
  await page
    .getByRole('combobox', { name: 'Mixture', exact: true })
    .selectOption('Constant: the corpus’ proportions');
  await expect(changes(page).last()).toContainText(/Mixture .* → Constant/, { timeout: 60_000 });
  const made = await changes(page).count();
  await untilStep(page, 30);
  await page.reload();
  await goOn.click({ timeout: 30_000 });
  await expect(status(page)).toHaveText(/Finished/, { timeout: 240_000 });
  await expect(changes(page)).toHaveCount(made);
  const first = await log(page);
  await button(page, 'Share').click();
  await expect(button(page, 'Share')).toHaveText('Copied');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(link).searchParams.get('at')).toMatch(/hiddenSize/);
  expect(link.length).toBeLessThan(2000);

  const stranger = await browser.newContext();
  const other = await stranger.newPage();
  await open(other, link);
  await expect(other.getByText('Changed on the way:')).toBeVisible();
  await button(other, 'Prune').click();
  await expect(status(other)).toHaveText(/Pruning, step/, { timeout: 120_000 });
  await expect(status(other)).toHaveText(/Finished/, { timeout: 240_000 });
  expect(await log(other)).toEqual(first);
  await stranger.close();
});

test('a run is named, told to a second tab, exported, deleted and taken in again', async ({
  page,
  context,
}) => {
  await open(page, SMALL);
  await button(page, 'Prune').click();
  await untilStep(page, 3);
  await button(page, 'Pause').click();
  await expect(status(page)).toHaveText(/Paused at step/, { timeout: 60_000 });

  const second = await context.newPage();
  await second.goto('/');
  await expect(runs(second).getByText(/in use, step \d+ of 64/)).toBeVisible({ timeout: 30_000 });
  await expect(runs(second).getByRole('button', { name: /^Go on/ })).toHaveCount(0);
  await second.close();

  await button(page, 'Reset').click();
  await expect(status(page)).toHaveText(/Ready/);
  await button(page, /^More of nano to/).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByLabel(/^Name of/).fill('a first look');
  await page.getByLabel(/^Name of/).press('Enter');
  await expect(runs(page).getByRole('strong').getByText('a first look', { exact: true })).toBeVisible();

  const more = button(page, 'More of a first look');
  await more.click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'Export' }).click();
  const file = await (await downloading).path();
  await more.click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await button(page, 'Delete a first look').click();
  await expect(runs(page).getByRole('strong').getByText('a first look', { exact: true })).toHaveCount(0);

  await page.getByLabel('File of an exported run').setInputFiles(file);
  await expect(runs(page).getByRole('strong').getByText('a first look', { exact: true })).toBeVisible();
  await button(page, 'Show a first look').click();
  await expect(page.getByRole('group', { name: 'Settings shown' })).toContainText('a first look');
  await expect(page.getByRole('slider', { name: 'Hidden size', exact: true })).toHaveAttribute(
    'aria-valuenow',
    '48',
  );
  await page.getByLabel('Hidden size value', { exact: true }).fill('40');
  await expect(button(page, 'Run this')).toBeVisible();
  expect(await seriousFaults(page)).toEqual([]);
  await button(page, 'Back to the run’s settings').click();
  // It goes on where it was stopped.
  await button(page, 'Go on with a first look').click();
  await untilStep(page, 4);
});

test('a run whose device is lost goes on by itself', async ({ page, browser }) => {
  await open(page, SMALL);
  await button(page, 'Prune').click();
  await untilStep(page, 3);
  const session = await browser.newBrowserCDPSession();
  // Its answer never comes: the process that would give it is gone.
  void session.send('Browser.crashGpuProcess').catch(() => undefined);
  await expect(page.getByText(/goes on by itself from its last checkpoint/)).toBeVisible({ timeout: 60_000 });
  await untilStep(page, 20);
  await expect(status(page)).toHaveText(/Finished/, { timeout: 240_000 });
});

test('a unit is pinned with the keyboard, named in the table, and part of the link', async ({ page }) => {
  await open(page, '/');
  const drawing = page.getByRole('application', { name: /Arrow keys choose a unit/ });
  await drawing.focus();
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'Enter']) await drawing.press(key);
  await page
    .getByRole('group', { name: /^Head 2 of layer 2/ })
    .getByRole('button', { name: 'Close' })
    .click();
  await expect.poll(() => new URL(page.url()).searchParams.get('pins')).toBe('a1.1-');
  const anatomy = page.getByRole('region', { name: 'Anatomy' });
  await anatomy.getByRole('button', { name: 'Table' }).click();
  await expect(anatomy.getByRole('row', { name: /^2 / })).toContainText('head 2 closed');
  await anatomy.getByRole('button', { name: 'Table' }).click();
  expect(await seriousFaults(page)).toEqual([]);
});
