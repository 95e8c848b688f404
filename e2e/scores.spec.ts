import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './fixtures';

const QUICK = 'source=nano&method=one-shot&calibration.sequences=4&calibration.length=16';

test('units are scored, seen, cut by a slider, exported, loaded and pinned', async ({ page }, info) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`/?${QUICK}`);
  const anatomy = page.getByRole('region', { name: 'Anatomy', exact: true });
  await anatomy.getByRole('radio', { name: 'Importance' }).check();
  await expect(anatomy.getByText('Not scored yet', { exact: false })).toBeVisible();
  const score = anatomy.getByRole('button', { name: 'Score units' });
  await expect(score).toBeEnabled({ timeout: 60_000 });
  await score.click();
  const caption = /Layers: Block Influence\. Widths: Activations \(Minitron\)\. On 4 × 16 tokens/;
  await expect(anatomy.getByText(caption)).toBeVisible({ timeout: 60_000 });

  // By keyboard: the first layer, then its first head.
  const drawing = anatomy.getByRole('application');
  await drawing.focus();
  await drawing.press('ArrowRight');
  const said = anatomy.getByText(
    /^Head 1 of layer 1: [\d.e−]+, \d\w\w of \d+; (goes|stays|goes with its layer)$/,
  );
  await expect(said.first()).toBeVisible();

  // A slider changes what goes, with the scores that are there.
  await anatomy.getByRole('button', { name: 'Table' }).click();
  const hidden = anatomy.getByRole('row', { name: /^Hidden/ });
  const slider = page.getByRole('slider', { name: 'Hidden size', exact: true });
  const staying = async () => Number(/(\d+) of \d+ stay/.exec(await hidden.innerText())?.[1]);
  expect(await staying()).toBe(Number(await slider.getAttribute('aria-valuenow')));
  const before = await staying();
  await slider.press('ArrowLeft');
  await expect.poll(staying).toBeLessThan(before);
  expect(await staying()).toBe(Number(await slider.getAttribute('aria-valuenow')));
  const table = await anatomy.getByRole('table').innerText();
  await expect(anatomy.getByRole('progressbar')).toBeHidden();

  const downloading = page.waitForEvent('download');
  await anatomy.getByRole('button', { name: 'Export scores' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('shear-lab-nano-scores.csv');
  const path = info.outputPath('scores.csv');
  await download.saveAs(path);
  const csv = readFileSync(path, 'utf8');
  expect(csv).toMatch(/^set,row,unit,score\r\nhidden,0,0,/);

  const file = anatomy.getByLabel('File of scores');
  const load = (text: string) =>
    file.setInputFiles({ name: 'mine.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await load(csv.replace('hidden,0,3,', 'hidden,9,3,'));
  await expect(page.getByText(/mine\.csv: line 5, column row must be a whole number/)).toBeVisible();
  await load(csv);
  await expect(anatomy.getByText('From mine.csv', { exact: false })).toBeVisible();
  expect(await anatomy.getByRole('table').innerText()).toBe(table);

  await anatomy.getByRole('button', { name: 'Use as pins' }).click();
  await expect(page.getByText(/units are pinned/)).toBeVisible();
  await expect.poll(() => new URL(page.url()).searchParams.get('pins') ?? '').toMatch(/d\d+[-!]/);
  await expect(anatomy.getByRole('row', { name: /^1 / })).toContainText(/kept|closed/);

  await anatomy.getByRole('button', { name: 'Table' }).click();
  const letGo = anatomy.getByRole('button', { name: 'Let all go' });
  await expect(letGo).toBeVisible();
  await anatomy.screenshot({ path: info.outputPath('importance.png') });
  const { violations } = await new AxeBuilder({ page }).include('.anatomy').analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await letGo.click();
  await expect(letGo).toBeHidden();
});

test('the form shows what has an effect, and keeps what has none', async ({ page }) => {
  // Gates that start alike and a stream that is not turned: nothing is scored.
  await page.goto('/?source=nano&basis=own&prune.steps=40&prune.warmStart=false');
  const target = page.getByRole('region', { name: 'Target shape', exact: true });
  const masks = target.getByText('Learning the masks');
  const scores = target.getByText('Scores and calibration text');
  await expect(masks).toBeVisible();
  await expect(scores).toBeHidden();
  await page.getByRole('combobox', { name: 'Method', exact: true }).selectOption('one-shot');
  await expect(masks).toBeHidden();
  await expect(target.getByText(/Kept, without effect now: .*Pruning steps 40/)).toBeVisible();
  await scores.click();
  await expect(target.getByRole('switch', { name: 'Compensate with biases' })).toBeHidden();
  await target.getByRole('combobox', { name: 'Widths by' }).selectOption('flap');
  await expect(target.getByRole('switch', { name: 'Compensate with biases' })).toBeVisible();
  await expect.poll(() => new URL(page.url()).search).toContain('scores.widths=flap');
  expect(new URL(page.url()).search).toContain('prune.steps=40');
});
