import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';

interface Index {
  tasks: { name: string; title: string; file: string; items: number; sha256: string }[];
}
const taskFile = (file: string) => readFileSync(`public/tasks/${file}`, 'utf8');
const index = JSON.parse(taskFile('index.json')) as Index;

/** The site's tasks with the first `items` of each: what a software adapter does while a test waits. */
async function shortenTasks(page: Page, items: number) {
  const short = new Map(
    index.tasks.map(({ file }) => {
      const task = JSON.parse(taskFile(file)) as { items: unknown[] };
      return [file, JSON.stringify({ ...task, items: task.items.slice(0, items) })];
    }),
  );
  const tasks = index.tasks.map((info) => {
    const sha256 = createHash('sha256').update(short.get(info.file)!).digest('hex');
    return { ...info, items: Math.min(items, info.items), sha256 };
  });
  short.set('index.json', JSON.stringify({ ...index, tasks }));
  await page.route('**/tasks/*.json', (route) => {
    const body = short.get(new URL(route.request().url()).pathname.split('/').at(-1)!);
    return body ? route.fulfill({ body, contentType: 'application/json' }) : route.continue();
  });
}

for (const [size, colorScheme] of [
  [{ width: 1440, height: 900 }, 'light'],
  [{ width: 390, height: 844 }, 'dark'],
] as const) {
  test(`a model is scored on every task, ${size.width} wide, ${colorScheme}`, async ({ page }, info) => {
    test.slow();
    await shortenTasks(page, 2);
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.goto('/?source=nano');
    const panel = page.getByRole('region', { name: 'Tasks', exact: true });
    await panel.getByRole('button', { name: 'Evaluate' }).click();
    await expect(panel.getByRole('progressbar', { name: 'Progress of the tasks' })).toBeVisible();
    const table = panel.getByRole('table', { name: 'Accuracy on the tasks: Source' });
    for (const { title } of index.tasks) {
      const row = table.getByRole('row', { name: title }).first();
      await expect(row).toBeVisible({ timeout: 120_000 });
      await expect(row.getByRole('img', { name: /95 % interval [\d.]+ to [\d.]+ %, chance/ })).toBeVisible();
    }
    await expect(panel.getByRole('button', { name: 'Cancel' })).toBeHidden();

    const groups = table.getByRole('button', { expanded: false }).first();
    const rows = await table.getByRole('row').count();
    await groups.click();
    expect(await table.getByRole('row').count()).toBeGreaterThan(rows);

    await panel.scrollIntoViewIfNeeded();
    await panel.screenshot({ path: info.outputPath('tasks.png') });
    const { violations } = await new AxeBuilder({ page }).include('.tasks').analyze();
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`),
    ).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(size.width);
  });
}

test('a scoring that is cancelled keeps what was there', async ({ page }) => {
  test.slow();
  await shortenTasks(page, 200);
  await page.goto('/?source=nano');
  const panel = page.getByRole('region', { name: 'Tasks', exact: true });
  await panel.getByRole('button', { name: 'Evaluate' }).click();
  await expect(panel.getByText(/item \d+ of \d+, .* left/)).toBeVisible({ timeout: 120_000 });
  await panel.getByRole('button', { name: 'Cancel' }).click();
  await expect(panel.getByRole('progressbar')).toBeHidden();
  await expect(panel.getByRole('button', { name: 'Evaluate' })).toBeEnabled();
});
