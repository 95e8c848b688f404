import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync, unzipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { InputError } from '../formats/refusal';
import { exportRun, importRun } from './archive';
import { readCheckpoint, writeCheckpoint } from './checkpoint';
import { StorageFullError } from './errors';
import { openLog } from './log';
import { openMemoryStore } from './memory-store';
import { openNodeStore } from './node-store';
import { bytes, someRun } from './run-store.contract';
import type { RunStore } from './run-store';

async function archiveOf(store: RunStore): Promise<Uint8Array> {
  const [run] = (await store.list()).runs;
  const pieces: Uint8Array[] = [];
  for await (const piece of exportRun(run!, await store.files(run!.id))) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

/** A store with one run that has something of everything. */
async function storeWithRun(): Promise<RunStore> {
  const store = openMemoryStore('For this test.');
  const folder = await store.create(someRun({ name: 'exported', meanLoss: 3.5, step: 40 }));
  const log = await openLog(folder);
  await log.append(Array.from({ length: 2000 }, (_, i) => `{"step":${i}}`));
  await log.appendFrame(Uint8Array.of(1, 2, 3));
  // Values whose bytes look like the headers of a zip file.
  const marks = new Float32Array(new Uint32Array([0x04034b50, 0x08074b50, 0x02014b50, 0x06054b50]).buffer);
  await writeCheckpoint(folder, { state: { step: 40 }, tensors: new Map([['weights', marks]]) });
  await folder.write('empty', new Uint8Array());
  await folder.close();
  return store;
}

test('a run that is exported from one store and imported into another is the same run', async () => {
  const store = await storeWithRun();
  const root = await mkdtemp(join(tmpdir(), 'runs-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const other = await openNodeStore(root);
  const id = await importRun(other, await archiveOf(store));
  const [from, to] = [(await store.list()).runs[0]!, (await other.list()).runs[0]!];
  expect(to).toMatchObject({ id, name: 'exported', status: 'paused', step: 40, inUse: false });
  expect(id).not.toBe(from.id);
  expect(to.bytes).toBe(from.bytes);
  const [a, b] = [await store.files(from.id), await other.files(id)];
  expect(await b.list()).toEqual(await a.list());
  for (const { name } of await a.list()) expect(await b.read(name)).toEqual(await a.read(name));
  expect(await readCheckpoint(b)).toEqual(await readCheckpoint(a));
});

test('a finished run stays finished', async () => {
  const store = await storeWithRun();
  await store.update((await store.list()).runs[0]!.id, { status: 'finished' });
  await importRun(store, await archiveOf(store));
  expect((await store.list()).runs.map(({ status }) => status)).toEqual(['finished', 'finished']);
});

type Files = Record<string, Uint8Array>;
const manifestOf = (files: Files) =>
  JSON.parse(new TextDecoder().decode(files['kept-run.json'])) as {
    formatVersion: number;
    run: Record<string, unknown>;
    files: { name: string; size: number }[];
  };
function withManifest(files: Files, change: (manifest: ReturnType<typeof manifestOf>) => void): Files {
  const manifest = manifestOf(files);
  change(manifest);
  return { ...files, 'kept-run.json': bytes(JSON.stringify(manifest)) };
}

const without = (files: Files, name: string): Files =>
  Object.fromEntries(Object.entries(files).filter(([other]) => other !== name));

const HOSTILE: Record<string, [(files: Files) => Files, string]> = {
  'without a manifest': [(files) => without(files, 'kept-run.json'), 'must be a zip file that holds'],
  'with a file that is not named': [
    (files) => ({ ...files, 'a.js': bytes('x') }),
    'which kept-run.json does',
  ],
  'with a path': [(files) => ({ ...files, '../up': bytes('x') }), 'it holds ../up'],
  'that names a path': [
    (files) =>
      withManifest({ ...files, '../up': bytes('x') }, (m) => m.files.push({ ...m.files[0]!, name: '../up' })),
    'files[6].name must be well formed',
  ],
  'without a file that is named': [(files) => without(files, 'empty'), 'empty must have 0 bytes'],
  'with other bytes': [
    (files) => ({ ...files, 'metrics.jsonl': files['metrics.jsonl']!.map((byte) => byte ^ 1) }),
    'metrics.jsonl has not the bytes that were exported',
  ],
  'with more bytes': [
    (files) => ({ ...files, 'frames.bin': new Uint8Array(50_000_000) }),
    'frames.bin must have 7 bytes',
  ],
  'that names a file twice': [
    (files) => withManifest(files, (m) => m.files.push(m.files[0]!)),
    'kept-run.json names a file twice',
  ],
  'with a record of another form': [
    (files) => withManifest(files, (m) => (m.run['step'] = 'many')),
    'run.step must be a whole number',
  ],
  'of a later version': [
    (files) => withManifest(files, (m) => (m.formatVersion = 2)),
    'formatVersion must be 1, not 2',
  ],
};

test.for(Object.entries(HOSTILE))(
  'an archive %s is refused and leaves nothing',
  async ([, [change, sentence]]) => {
    const files = unzipSync(await archiveOf(await storeWithRun()));
    expect(Object.keys(files)).toHaveLength(7);
    const store = openMemoryStore('For this test.');
    const importing = importRun(store, zipSync(change(files)));
    await expect(importing).rejects.toThrow(InputError);
    await expect(importing).rejects.toThrow(sentence);
    expect((await store.list()).runs).toEqual([]);
  },
);

test('an archive that is cut off anywhere, or no archive, is refused', async () => {
  const whole = await archiveOf(await storeWithRun());
  const store = openMemoryStore('For this test.');
  for (let cut = 0; cut < whole.length; cut += 97) {
    await expect(importRun(store, whole.subarray(0, cut))).rejects.toThrow(InputError);
  }
  expect((await store.list()).runs).toEqual([]);
});

test('what does not fit leaves nothing', async () => {
  const archive = await archiveOf(await storeWithRun());
  const store = openMemoryStore('For this test.', 10_000);
  await expect(importRun(store, archive)).rejects.toThrow(StorageFullError);
  expect((await store.list()).runs).toEqual([]);
});
