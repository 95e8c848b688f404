import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test as base, type BrowserContext, type Page } from '@playwright/test';
import { build, type Rollup } from 'vite';
import { RUN_STORE_CONTRACT } from '../src/storage/run-store.contract';

// The storage of the page in a real browser with a profile on the disk: a private window would keep all of it
// in memory.

const PAGE = '/storage-test.html';

interface Fixtures {
  script: string;
  profile: string;
  context: BrowserContext;
}

async function openBrowser(profile: string, script: string): Promise<BrowserContext> {
  const { launchOptions, baseURL } = test.info().project.use;
  const context = await chromium.launchPersistentContext(profile, { ...launchOptions, baseURL });
  await context.route(`**${PAGE}`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Storage</title>' }),
  );
  await context.route('**/storage-worker.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: script }),
  );
  return context;
}

const test = base.extend<Omit<Fixtures, 'script'>, { script: string }>({
  script: [
    async ({}, use) => {
      const [{ output }] = (await build({
        configFile: false,
        logLevel: 'warn',
        build: { write: false, lib: { entry: 'e2e/storage-worker.ts', formats: ['es'], fileName: 'worker' } },
      })) as [Rollup.RollupOutput];
      await use(output[0].code);
    },
    { scope: 'worker' },
  ],
  profile: async ({}, use) => {
    const profile = await mkdtemp(join(tmpdir(), 'profile-'));
    await use(profile);
    await rm(profile, { recursive: true, force: true });
  },
  context: async ({ profile, script }, use) => {
    const context = await openBrowser(profile, script);
    await use(context);
    await context.close();
  },
});

interface TestWindow {
  worker: Worker;
  /** Messages that are no answers. */
  told: Record<string, unknown>[];
  call(task: string, parameters: unknown[]): Promise<unknown>;
}

/** A tab with the worker. */
async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(PAGE);
  await page.evaluate(startWorker);
  return page;
}

function startWorker() {
  const tab = globalThis as unknown as TestWindow;
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let calls = 0;
  tab.worker = new Worker('/storage-worker.js', { type: 'module' });
  tab.told = [];
  tab.worker.onmessage = ({ data }: MessageEvent<{ id?: number; value?: unknown; error?: Error }>) => {
    if (data.id === undefined) return void tab.told.push(data);
    const { resolve, reject } = waiting.get(data.id)!;
    if (data.error) reject(new Error(`${data.error.name}: ${data.error.message}`));
    else resolve(data.value);
  };
  tab.call = (task, parameters) =>
    new Promise((resolve, reject) => {
      waiting.set(++calls, { resolve, reject });
      tab.worker.postMessage({ id: calls, task, parameters });
    });
}

function call<T = unknown>(page: Page, task: string, ...parameters: unknown[]): Promise<T> {
  return page.evaluate(
    ({ task, parameters }) => (globalThis as unknown as TestWindow).call(task, parameters),
    { task, parameters },
  ) as Promise<T>;
}

const told = (page: Page) => page.evaluate(() => (globalThis as unknown as TestWindow).told);

interface Listed {
  runs: { id: string; name: string; inUse: boolean; status: string }[];
  damaged: { id: string; problem: string }[];
}

test('the page keeps to the contract of every store', async ({ context }) => {
  const page = await openTab(context);
  expect(await call(page, 'about')).toEqual({ persistent: true, notice: null });
  for (const { name } of RUN_STORE_CONTRACT) await test.step(name, () => call(page, 'contract', name));
});

test('two tabs: one owner, and each sees what the other does', async ({ context }) => {
  const [a, b] = [await openTab(context), await openTab(context)];
  await call(b, 'watch');
  const id = await call<string>(a, 'create', 'mine');
  await expect.poll(async () => (await told(b)).length).toBeGreaterThan(0);
  await expect(call(b, 'open', id)).rejects.toThrow(
    'RunInUseError: This run is open in another tab: close it there first.',
  );
  await expect(call(b, 'remove', id)).rejects.toThrow('RunInUseError');
  await call(b, 'update', id, { name: 'renamed' });
  expect((await call<Listed>(a, 'list')).runs[0]).toMatchObject({ id, name: 'renamed', inUse: true });
  // A tab that is closed lets go of its runs, whatever it was doing.
  await a.close();
  await call(b, 'open', id);
  expect(await call(b, 'files')).toEqual([]);
});

test('a worker that is ended at any moment loses nothing that was safe', async ({ context }) => {
  const page = await openTab(context);
  const id = await call<string>(page, 'create', 'ended again and again');
  await call(page, 'close');
  let safe = 0;
  for (let kill = 0; kill < 12; kill++) {
    await call(page, 'open', id);
    void call(page, 'work', 100_000).catch(() => undefined);
    await page.waitForFunction(() => (globalThis as unknown as TestWindow).told.length > 0);
    await page.waitForTimeout(Math.random() * 250);
    await page.evaluate(() => (globalThis as unknown as TestWindow).worker.terminate());
    const [resumed, ...steps] = await told(page);
    expect(resumed).toMatchObject({ problems: [], same: true });
    const start = resumed!['resumed'] as number;
    expect([safe, safe + 1]).toContain(start);
    expect(resumed!['lines']).toEqual(Array.from({ length: start }, (_, i) => `{"step":${i + 1}}`));
    safe = (steps.at(-1)?.['safe'] as number | undefined) ?? start;
    await page.evaluate(startWorker);
  }
  expect(safe).toBeGreaterThan(0);
});

test('a browser that is killed loses nothing that was safe', async ({ profile, script, context }) => {
  await context.close();
  let id = '';
  let safe = 0;
  for (let kill = 0; kill < 3; kill++) {
    const browser = await openBrowser(profile, script);
    const page = await openTab(browser);
    if (kill === 0) id = await call<string>(page, 'create', 'killed');
    else await call(page, 'open', id);
    void call(page, 'work', 100_000).catch(() => undefined);
    await page.waitForFunction(() => (globalThis as unknown as TestWindow).told.length > 3);
    const [resumed, ...steps] = await told(page);
    expect(resumed).toMatchObject({ problems: [], same: true });
    expect(resumed!['resumed'] as number).toBeGreaterThanOrEqual(safe);
    safe = steps.at(-1)!['safe'] as number;
    const session = await browser.browser()?.newBrowserCDPSession();
    const { processInfo } = await session!.send('SystemInfo.getProcessInfo');
    const closed = browser.waitForEvent('close');
    process.kill(processInfo.find(({ type }) => type === 'browser')!.id, 'SIGKILL');
    await closed;
  }
});

test('full storage is said in one sentence that offers the oldest finished run', async ({ context }) => {
  const page = await openTab(context);
  for (const name of ['older', 'newer']) {
    const id = await call<string>(page, 'create', name);
    await call(page, 'write', 'model.safetensors', 4_000_000);
    await call(page, 'update', id, { status: 'finished' });
    await call(page, 'close');
  }
  await call(page, 'create', 'running');
  await call(page, 'append', 'metrics.jsonl', 1000);
  // Chromium reserves more for an open file than its bytes, in powers of two from 1 MiB.
  const session = await context.newCDPSession(page);
  const origin = new URL(page.url()).origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 12_000_000 });
  const full =
    /StorageFullError: The storage of this browser is full, and the lab takes 8\.0 MB of it: delete the oldest finished run, "older" \(4\.0 MB\), or free space, then go on\./;
  await expect(call(page, 'write', 'model.safetensors', 3_900_000)).rejects.toThrow(full);
  await expect(call(page, 'append', 'metrics.jsonl', 5_000_000)).rejects.toThrow(full);
  expect(await call(page, 'files')).toEqual([{ name: 'metrics.jsonl', size: 1000 }]);
  const { runs } = await call<Listed>(page, 'list');
  await call(page, 'remove', runs.find(({ name }) => name === 'older')!.id);
  await call(page, 'write', 'model.safetensors', 3_900_000);
});

test('records and folders that do not belong together are listed as damaged and can be removed', async ({
  context,
}) => {
  const page = await openTab(context);
  const id = await call<string>(page, 'create', 'whole');
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folders = await root.getDirectoryHandle('shear-lab');
    await folders.getDirectoryHandle('no-record', { create: true });
    await new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open('shear-lab');
      opening.onerror = () => reject(opening.error!);
      opening.onsuccess = () => {
        const put = opening.result.transaction('runs', 'readwrite').objectStore('runs');
        put.put({ id: 'other-version', steps: 'many' }).onsuccess = () => {
          opening.result.close();
          resolve();
        };
      };
    });
  });
  const { runs, damaged } = await call<Listed>(page, 'list');
  expect(runs.map((run) => run.id)).toEqual([id]);
  expect(damaged).toEqual([
    { id: 'other-version', problem: 'run record: name must be a text, but it is missing', bytes: 0 },
    { id: 'no-record', problem: 'run record: it is missing', bytes: 0 },
  ]);
  for (const run of damaged) await call(page, 'remove', run.id);
  expect((await call<Listed>(page, 'list')).damaged).toEqual([]);
});

test('where the browser refuses storage, runs are in memory and the notice says so', async ({
  context,
  script,
}) => {
  await context.route('**/storage-worker.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('', 'SecurityError'));${script}`,
    }),
  );
  const page = await openTab(context);
  expect(await call(page, 'about')).toEqual({
    persistent: false,
    notice: expect.stringContaining('runs are gone when the tab is closed') as unknown,
  });
  await call(page, 'create', 'in memory');
  await call(page, 'write', 'a', 10);
  expect(await call(page, 'files')).toEqual([{ name: 'a', size: 10 }]);
});
