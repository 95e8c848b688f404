/**
 * Takes the picture of the README: `npm run build`, then `node scripts/picture.mjs [OUT.png] [light|dark]`.
 * It is the real page, half way through the recorded run. CHROMIUM_PATH names a Chromium; without it
 * Playwright's own is used.
 */
import { chromium } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { preview } from 'vite';

const [out = 'docs/images/bench.png', colorScheme = 'light'] = process.argv.slice(2);
/** The recorded run plays in 40 s, half of them before the cut: late enough that gates have closed. */
const WAIT_MS = 15_000;

const server = await preview({ preview: { host: '127.0.0.1', port: 4191, strictPort: true } });
const browser = await chromium.launch({
  ...(process.env.CHROMIUM_PATH ? { executablePath: process.env.CHROMIUM_PATH } : {}),
  args: ['--headless=new', '--no-sandbox', '--enable-unsafe-webgpu', '--no-first-run'],
});
try {
  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    deviceScaleFactor: 2,
    colorScheme,
  });
  await page.goto('http://127.0.0.1:4191/');
  await page.getByText('Recorded run', { exact: true }).first().waitFor();
  await page.waitForTimeout(WAIT_MS);
  // Notices about this machine's adapter say nothing to a reader.
  for (const button of await page.getByRole('button', { name: 'Dismiss' }).all()) await button.click();
  mkdirSync(dirname(out), { recursive: true });
  await page.screenshot({ path: out });
  process.stdout.write(`${out}\n`);
} finally {
  await browser.close();
  await server.close();
}
