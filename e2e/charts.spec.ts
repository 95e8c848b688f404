import { expect, test } from './fixtures';

// The recorded run needs no WebGPU; without motion it stands complete.
test.beforeEach(async ({ page }) => {
  await page.addInitScript(() => {
    delete (Navigator.prototype as unknown as Record<string, unknown>)['gpu'];
  });
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/');
  await expect(page.getByText('Recorded run', { exact: true }).first()).toBeVisible();
});

test('the crosshair reads held-out losses between evaluations, and says of which step', async ({ page }) => {
  const plot = page.locator('.chart-loss .chart-plot');
  await expect(plot.locator('.recharts-line').first()).toBeVisible();
  const box = (await plot.boundingBox())!;
  // The recorded run evaluates every 20 of 600 steps: no two neighbouring places are both an evaluation's.
  const heads: string[] = [];
  for (let i = 0; i < 6; i++) {
    await page.mouse.move(box.x + box.width * 0.5 + 5 * i, box.y + box.height / 2);
    const readout = page.locator('.readout');
    // Seven domains, and the divergence from the source, which teaches the recorded run.
    await expect(readout.locator('.readout-line b')).toHaveCount(8);
    await expect(readout.getByText('KL from the source', { exact: true })).toBeVisible();
    heads.push((await readout.locator('.readout-head').allTextContents()).join(' '));
  }
  expect(heads.some((head) => /^step \d+ · .* held-out losses of step \d+0$/.test(head))).toBe(true);
});

test('the marks of every axis differ from each other', async ({ page }) => {
  const axes = async () => {
    const all = await page.locator('.recharts-yAxis-tick-labels, .recharts-xAxis-tick-labels').all();
    return Promise.all(
      all.map((axis) => axis.locator('.recharts-cartesian-axis-tick-value').allTextContents()),
    );
  };
  for (const control of [null, 'log', 'tokens', 'seconds', 'training']) {
    if (control) await page.locator('label', { hasText: control }).first().click();
    await expect.poll(async () => (await axes()).filter((ticks) => ticks.length > 0).length).toBe(11);
    for (const ticks of await axes()) {
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(new Set(ticks).size, ticks.join(' ')).toBe(ticks.length);
    }
  }
});
