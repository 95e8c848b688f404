import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, onTestFinished, test } from 'vitest';
import { openMemoryStore } from './memory-store';
import { openNodeStore } from './node-store';
import { RUN_STORE_CONTRACT } from './run-store.contract';
import type { RunStore } from './run-store';

const STORES: Record<string, () => Promise<RunStore>> = {
  memory: async () => openMemoryStore('Kept for this test.'),
  node: async () => {
    const root = await mkdtemp(join(tmpdir(), 'runs-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    return openNodeStore(root);
  },
};

describe.for(Object.entries(STORES))('%s store', ([, openStore]) => {
  test.for(RUN_STORE_CONTRACT)('$name', async ({ check }) => check(await openStore()));
});
