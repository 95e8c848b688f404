import { InputError } from '../formats/refusal';
import { RunInUseError, StorageError } from './errors';
import { isFileName, type KeptRun, type NewRun } from './kept-run';
import type { RunFiles, RunFolder, RunStore } from './run-store';

/**
 * What every store keeps to, as plain functions that throw: the same list runs in Node and in a worker of a
 * real browser (e2e/storage.spec.ts).
 */
export interface ContractCase {
  name: string;
  check(store: RunStore): Promise<void>;
}

/** For tests: a run of which little is known. */
export function someRun(changes: Partial<NewRun> = {}): NewRun {
  return {
    name: 'to half the width',
    note: '',
    colour: null,
    version: '0.1.0',
    status: 'running',
    experiment: { version: 1, target: { hiddenSize: 64 } },
    interventions: [],
    adapter: 'llvmpipe (software)',
    seed: 17,
    source: { name: 'nano', hash: null, parameters: 1000 },
    step: 0,
    totalSteps: 120,
    meanLoss: null,
    ...changes,
  };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function equal(found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: found ${a}, wanted ${b}`);
}

/** The error that a call ends with. */
async function failure(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => {
      throw new Error('a call that should fail did not');
    },
    (error: Error) => error,
  );
}

async function fails(call: Promise<unknown>, kind: new (message: string) => Error): Promise<void> {
  const error = await failure(call);
  const isKind: boolean = error instanceof kind;
  if (!isKind) throw new Error(`wanted ${kind.name}, got ${error.name}: ${error.message}`);
}

async function read(files: RunFiles, name: string, from?: number, to?: number): Promise<string | null> {
  const found = await files.read(name, from, to);
  return found && new TextDecoder().decode(found);
}

export const RUN_STORE_CONTRACT: ContractCase[] = [
  {
    name: 'a new run is listed as it was noted, in use until it is closed',
    async check(store) {
      const before = Date.now();
      const folder = await store.create(someRun({ meanLoss: 3.25, note: 'a – ü 漢' }));
      equal(isFileName(folder.id), true, 'identifier');
      const listed = (await store.list()).runs;
      equal(listed.length, 1, 'runs');
      const { id, createdAt, updatedAt, bytes: size, inUse, ...rest } = listed[0]!;
      equal(rest, someRun({ meanLoss: 3.25, note: 'a – ü 漢' }), 'record');
      equal([id, inUse, size, createdAt === updatedAt], [folder.id, true, 0, true], 'what is measured');
      equal(createdAt >= before && createdAt <= Date.now(), true, 'time');
      await folder.append('metrics.jsonl', bytes('{}\n'));
      await folder.close();
      const { runs, damaged } = await store.list();
      equal([runs[0]!.inUse, runs[0]!.bytes, damaged.length], [false, 3, 0], 'after closing');
    },
  },
  {
    name: 'newest first',
    async check(store) {
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        const folder = await store.create(someRun({ name: `${i}` }));
        await folder.close();
        ids.unshift(folder.id);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      equal(
        (await store.list()).runs.map(({ id }) => id),
        ids,
        'order',
      );
    },
  },
  {
    name: 'update changes what it names, also of a run that is open, and refuses what is no record',
    async check(store) {
      const folder = await store.create(someRun());
      await store.update(folder.id, { name: 'renamed', step: 40 });
      await Promise.all([
        store.update(folder.id, { note: 'a' }),
        store.update(folder.id, { colour: '#a00000' }),
      ]);
      await fails(store.update(folder.id, { step: -1 }), InputError);
      await fails(store.update(folder.id, { meanLoss: NaN }), InputError);
      await fails(store.update('20200101-000000-00000000', { step: 1 }), StorageError);
      const [{ name, note, colour, step, seed }] = (await store.list()).runs as [KeptRun];
      equal([name, note, colour, step, seed], ['renamed', 'a', '#a00000', 40, 17], 'record');
      await folder.close();
    },
  },
  {
    name: 'write replaces the whole file, append adds in the order of the calls, truncate cuts',
    async check(store) {
      const folder = await store.create(someRun());
      await folder.write('state.json', bytes('a longer text'));
      await folder.write('state.json', bytes('short'));
      equal(await read(folder, 'state.json'), 'short', 'written twice');
      const lines = Array.from({ length: 50 }, (_, i) => `${i}\n`);
      await Promise.all(lines.map((line) => folder.append('metrics.jsonl', bytes(line))));
      equal(await read(folder, 'metrics.jsonl'), lines.join(''), 'appended at once');
      await folder.flush('metrics.jsonl');
      await folder.truncate('metrics.jsonl', 4);
      await folder.append('metrics.jsonl', bytes('x\n'));
      equal(await read(folder, 'metrics.jsonl'), '0\n1\nx\n', 'cut, then appended');
      await fails(folder.truncate('metrics.jsonl', 7), StorageError);
      await folder.write('metrics.jsonl', bytes('new'));
      await folder.append('metrics.jsonl', bytes('er'));
      equal(await read(folder, 'metrics.jsonl'), 'newer', 'a log that was replaced');
      await folder.write('empty', new Uint8Array());
      equal(await read(folder, 'empty'), '', 'empty file');
      equal(
        await folder.list(),
        [
          { name: 'empty', size: 0 },
          { name: 'metrics.jsonl', size: 5 },
          { name: 'state.json', size: 5 },
        ],
        'list',
      );
      await folder.close();
    },
  },
  {
    name: 'a part of a file is read, cut at its end; no file is null',
    async check(store) {
      const folder = await store.create(someRun());
      await folder.write('a', bytes('0123456789'));
      equal(await read(folder, 'a', 3), '3456789', 'from');
      equal(await read(folder, 'a', 3, 5), '34', 'from and to');
      equal(await read(folder, 'a', 8, 50), '89', 'beyond the end');
      equal(await read(folder, 'a', 50, 60), '', 'after the end');
      equal(await read(folder, 'b'), null, 'no such file');
      await folder.append('log', bytes('0123456789'));
      equal(await read(folder, 'log', 3, 5), '34', 'of a file that is appended to');
      await folder.close();
    },
  },
  {
    name: 'what was written is there when the run is opened again, and while another works on it',
    async check(store) {
      const folder = await store.create(someRun());
      await folder.append('log', bytes('one\n'));
      const files = await store.files(folder.id);
      equal(await read(files, 'log'), 'one\n', 'while it is appended to');
      await folder.append('log', bytes('two\n'));
      equal(await read(files, 'log'), 'one\ntwo\n', 'and later');
      await folder.write('a', bytes('whole'));
      equal(await files.list(), await folder.list(), 'the two lists');
      await folder.close();
      const again = await store.open(folder.id);
      await again.append('log', bytes('three\n'));
      await again.delete('a');
      await again.delete('a');
      equal([await read(again, 'log'), await read(again, 'a')], ['one\ntwo\nthree\n', null], 'again');
      await again.close();
    },
  },
  {
    name: 'one owner at a time',
    async check(store) {
      const folder = await store.create(someRun());
      const { id } = folder;
      await fails(store.open(id), RunInUseError);
      await fails(store.remove(id), RunInUseError);
      await folder.append('log', bytes('still mine\n'));
      await folder.close();
      await folder.close();
      await fails(folder.append('log', bytes('x')), StorageError);
      const again = await store.open(id);
      await fails(store.open(id), RunInUseError);
      equal(await read(again, 'log'), 'still mine\n', 'log');
      await again.close();
    },
  },
  {
    name: 'a removed run is gone with its files',
    async check(store) {
      const folder = await store.create(someRun());
      await folder.write('model.safetensors', new Uint8Array(100_000));
      await folder.close();
      await store.remove(folder.id);
      equal((await store.list()).runs, [], 'list');
      await fails(store.open(folder.id), StorageError);
      await fails(store.files(folder.id), StorageError);
      await fails(store.remove(folder.id), StorageError);
    },
  },
  {
    name: 'names that a file system could read otherwise are refused',
    async check(store) {
      const folder = await store.create(someRun());
      for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', '.hidden', 'A', 'a.', 'a'.repeat(101)]) {
        await fails(folder.write(name, bytes('x')), InputError);
        await fails(folder.append(name, bytes('x')), InputError);
        await fails(folder.read(name), InputError);
      }
      equal(await folder.list(), [], 'nothing was written');
      for (const id of ['..', 'a/../b', '', '.']) await fails(store.files(id), StorageError);
      await folder.close();
    },
  },
  {
    name: 'watchers are told of every change of the list, and then no more',
    async check(store) {
      let told = 0;
      const end = store.watch(() => told++);
      const changes = async (action: () => Promise<unknown>) => {
        const before = told;
        await action();
        if (told === before) throw new Error(`not told of ${action.toString()}`);
      };
      let folder: RunFolder | null = null;
      await changes(async () => (folder = await store.create(someRun())));
      const { id, close } = folder!;
      await changes(() => store.update(id, { name: 'other' }));
      await changes(() => close());
      await changes(() => store.remove(id));
      end();
      const before = told;
      await (await store.create(someRun())).close();
      equal(told, before, 'after the end');
    },
  },
  {
    name: 'usage grows with what is written',
    async check(store) {
      const folder = await store.create(someRun());
      const before = (await store.usage()).used;
      await folder.write('a', crypto.getRandomValues(new Uint8Array(60_000)));
      await folder.close();
      const { used, quota } = await store.usage();
      equal(used >= before + 60_000, true, `usage ${before} then ${used}`);
      equal(quota === null || quota > used, true, `quota ${quota}`);
    },
  },
];
