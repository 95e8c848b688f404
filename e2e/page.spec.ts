import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures';

const SLIDERS = ['Layers', 'Hidden size', 'Attention heads', 'MLP width'];

const SIZES = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
};

test('the page opens with its name, its controls and its regions', async ({ page }) => {
  await page.setViewportSize(SIZES.desktop);
  await page.goto('/');
  await expect(page).toHaveTitle(/shear-lab/);
  for (const name of SLIDERS) await expect(page.getByRole('slider', { name, exact: true })).toBeVisible();
  for (const name of ['Prune', 'Step', 'Reset', 'Share', 'Export']) {
    await expect(page.getByRole('button', { name, exact: true })).toBeVisible();
  }
  for (const name of ['Method', 'Retraining', 'Mixture']) {
    await expect(page.getByRole('combobox', { name, exact: true })).toBeVisible();
  }
  for (const name of [
    'Target shape',
    'Anatomy',
    'Loss by domain',
    'Mixture',
    'Sparsity',
    'Generation',
    'Runs',
  ]) {
    await expect(page.getByRole('region', { name, exact: true })).toBeVisible();
  }
});

test('a slider moved by keyboard changes the address, and the address opens with the same shape', async ({
  page,
}) => {
  await page.goto('/');
  const slider = page.getByRole('slider', { name: 'Hidden size', exact: true });
  await slider.focus();
  const before = Number(await slider.getAttribute('aria-valuenow'));
  await slider.press('ArrowLeft');
  await expect.poll(async () => Number(await slider.getAttribute('aria-valuenow'))).toBeLessThan(before);
  const chosen = (await slider.getAttribute('aria-valuenow'))!;
  await expect.poll(() => new URL(page.url()).searchParams.get('target.hiddenSize')).toBe(chosen);
  await page.reload();
  await expect(slider).toHaveAttribute('aria-valuenow', chosen);
});

test('a broken address says what is wrong and opens the bench all the same', async ({ page }) => {
  await page.goto('/?target.hiddenSize=-3&__proto__=1&seed=1e308&nonsense=2');
  await expect(page.getByText(/target\.hiddenSize/).first()).toBeVisible();
  await expect(page.getByRole('slider', { name: 'Hidden size', exact: true })).toBeVisible();
});

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing serious, ${size}, ${colorScheme}`, async ({ page }) => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto('/');
      await expect(page.getByRole('slider', { name: 'Layers', exact: true })).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`),
      ).toEqual([]);
    });
  }

  test(`nothing is wider than the window, ${size}`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await page.goto('/');
    await expect(page.getByRole('slider', { name: 'Layers', exact: true })).toBeVisible();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(viewport.width);
  });
}
