import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'vite';
import { expect, onTestFinished, test } from 'vitest';
import { readCheckpoint } from './checkpoint';
import { RunInUseError, StorageError, StorageFullError } from './errors';
import { explained, openRunFolder, readRunFolder } from './node-folder';
import { openNodeStore } from './node-store';
import { bytes, someRun } from './run-store.contract';
import type { WorkReport } from './testing';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that does nothing, to have its id. */
function idleProcess() {
  return spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
}

test('a folder that the user names is made, and other files in it are left alone', async () => {
  const path = join(await newFolder(), 'deep', 'out');
  await mkdir(join(path, 'sub'), { recursive: true });
  await writeFile(join(path, 'README.MD'), 'mine');
  const folder = await openRunFolder(path);
  expect(folder.id).toBe(path);
  await folder.write('config.json', bytes('{}'));
  expect(await folder.list()).toEqual([{ name: 'config.json', size: 2 }]);
  await folder.close();
  expect((await readdir(path)).sort()).toEqual(['README.MD', 'config.json', 'sub']);
});

test('a lock of a process that lives is respected; of one that ended it is taken over', async () => {
  const path = await newFolder();
  const other = idleProcess();
  await writeFile(join(path, `.lock-${other.pid}-00ff`), '');
  const refused = openRunFolder(path);
  await expect(refused).rejects.toThrow(RunInUseError);
  await expect(refused).rejects.toThrow(`is in use by process ${other.pid}: let that end first`);
  other.kill('SIGKILL');
  await once(other, 'exit');
  const folder = await openRunFolder(path);
  expect((await readdir(path)).filter((name) => name.includes('00ff'))).toEqual([]);
  await folder.close();
  expect(await readdir(path)).toEqual([]);
});

test('a lock from before the machine or the container started is taken over', async () => {
  const path = await newFolder();
  const other = idleProcess();
  onTestFinished(() => void other.kill('SIGKILL'));
  const before = join(path, `.lock-${other.pid}-aa`);
  await writeFile(before, '');
  await utimes(before, new Date(2001, 0), new Date(2001, 0));
  await writeFile(join(path, `.lock-${process.pid}-bb`), '');
  await (await openRunFolder(path)).close();
  expect(await readdir(path)).toEqual([]);
});

test('of many that want one folder at once, at most one has it', async () => {
  const path = await newFolder();
  const opened = await Promise.allSettled(Array.from({ length: 8 }, () => openRunFolder(path)));
  const owners = opened.filter((result) => result.status === 'fulfilled');
  expect(owners.length).toBeLessThanOrEqual(1);
  for (const { value } of owners) await value.close();
  await (await openRunFolder(path)).close();
});

test('a process killed with SIGKILL at any moment leaves the last safe step or the next', async () => {
  const bundle = await newFolder();
  await build({
    configFile: false,
    logLevel: 'warn',
    build: { ssr: 'src/storage/work.testing.ts', outDir: bundle, copyPublicDir: false, target: 'node20' },
    ssr: { noExternal: true },
  });
  const script = (await readdir(bundle))[0]!;
  const path = await newFolder();
  let safe = 0;
  for (let kill = 0; kill < 12; kill++) {
    const child = spawn(process.execPath, [join(bundle, script), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const found: WorkReport[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      found.push(JSON.parse(line) as WorkReport);
      if (found.length === 1) setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
    }
    await ended;
    const [resumed, ...steps] = found as [{ resumed: number }, ...{ safe: number }[]];
    expect(resumed).toMatchObject({ problems: [], same: true });
    expect([safe, safe + 1]).toContain(resumed.resumed);
    expect(resumed).toHaveProperty(
      'lines',
      Array.from({ length: resumed.resumed }, (_, i) => `{"step":${i + 1}}`),
    );
    safe = steps.at(-1)?.safe ?? resumed.resumed;
  }
  expect(safe).toBeGreaterThan(0);
  const { checkpoint } = await readCheckpoint(readRunFolder(path));
  expect((checkpoint!.state as { step: number }).step).toBeGreaterThanOrEqual(safe);
});

test.runIf(existsSync('/dev/full'))('a full disk is one sentence, and nothing torn is left', async () => {
  const root = await newFolder();
  const store = await openNodeStore(root);
  const finished = await store.create(someRun({ name: 'older', status: 'finished' }));
  await finished.write('model.safetensors', new Uint8Array(2_000_000));
  await finished.close();
  const folder = await store.create(someRun());
  await symlink('/dev/full', join(root, folder.id, 'metrics.jsonl'));
  await symlink('/dev/full', join(root, folder.id, '.tmp-config.json'));
  const sentence = `The disk of ${root} is full, and the lab takes 2.0 MB of it: delete the oldest finished run, "older" (2.0 MB), or free space, then go on.`;
  for (const call of [folder.append('metrics.jsonl', bytes('x')), folder.write('config.json', bytes('x'))]) {
    const error = await call.then(
      () => null,
      (found: Error) => found,
    );
    expect(error).toBeInstanceOf(StorageFullError);
    expect(error!.message).toBe(sentence);
  }
  expect(await folder.read('config.json')).toBeNull();
  await folder.delete('metrics.jsonl');
  await folder.append('metrics.jsonl', bytes('x'));
  await folder.close();
});

test('a place that cannot be written to is one sentence', async () => {
  const file = join(await newFolder(), 'file');
  await writeFile(file, '');
  await expect(openRunFolder(file)).rejects.toThrow(`${file} is no folder: choose another place.`);
  await expect(openNodeStore(join(file, 'below'))).rejects.toThrow(StorageError);
  for (const code of ['EACCES', 'EROFS', 'EPERM']) {
    const error = await explained(Object.assign(new Error(), { code }), '/out', () => new StorageFullError());
    expect((error as Error).message).toBe('/out cannot be written to: choose another folder, or allow it.');
  }
});

test('a damaged record is listed as damaged beside the others, and can be removed', async () => {
  const root = await newFolder();
  const store = await openNodeStore(root);
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) {
    const folder = await store.create(someRun({ name: `run ${i}` }));
    ids.push(folder.id);
    await folder.close();
  }
  const [torn, missing, foreign, whole] = ids as [string, string, string, string];
  await writeFile(join(root, torn, '.record.json'), '{"id": "');
  await rm(join(root, missing, '.record.json'));
  await rm(join(root, foreign, '.record.json'));
  await symlink(join(root, whole, '.record.json'), join(root, foreign, '.record.json'));
  const { runs, damaged } = await store.list();
  expect(runs.map(({ id }) => id)).toEqual([whole]);
  expect(new Map(damaged.map(({ id, problem }) => [id, problem]))).toEqual(
    new Map([
      [torn, 'run record: must be JSON: it is cut off or malformed'],
      [missing, 'run record: it is missing'],
      [foreign, 'run record: it belongs to another run'],
    ]),
  );
  await expect(store.update(torn, { name: 'x' })).rejects.toThrow('run record: must be JSON');
  for (const { id } of damaged) await store.remove(id);
  expect(await store.list()).toMatchObject({ runs: [{ id: whole }], damaged: [] });
});

test('what a killed process left half done is cleared away', async () => {
  const root = await newFolder();
  const folder = await (await openNodeStore(root)).create(someRun());
  await folder.close();
  await writeFile(join(root, folder.id, '.tmp-model.safetensors'), 'half');
  await mkdir(join(root, '.removed-20200101-000000-00000000', 'x'), { recursive: true });
  const again = await openNodeStore(root);
  await (await again.open(folder.id)).close();
  expect(await readdir(root)).toEqual([folder.id]);
  expect(await readdir(join(root, folder.id))).toEqual(['.record.json']);
});
