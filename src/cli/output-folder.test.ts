import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { checkOutputFile, prepareOutputFolder, writeOutputFile } from './output-folder';

const root = mkdtempSync(join(tmpdir(), 'shear-lab-output-'));
afterAll(() => rmSync(root, { recursive: true }));
let place: string;
beforeEach(() => (place = mkdtempSync(join(root, 'case-'))));

const file = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) });
const prepare = (out: string, changes: Partial<Parameters<typeof prepareOutputFolder>[1]> = {}) =>
  prepareOutputFolder(out, { force: false, sources: [], bytes: 0, ...changes });

describe('the folder of --out', () => {
  it('is made with those above it, filled, and leaves no temporary file', async () => {
    const output = await prepare(join(place, 'a/b'));
    await output.write([file('one', '1'), file('two', '2')]);
    await output.write([file('three', '3')], 'inner');
    await output.giveBack();
    expect(readdirSync(output.path).sort()).toEqual(['inner', 'one', 'two']);
    expect(readFileSync(join(output.path, 'inner/three'), 'utf8')).toBe('3');
  });

  it('is away again when nothing came of it', async () => {
    const output = await prepare(join(place, 'new'));
    await output.giveBack();
    expect(readdirSync(place)).toEqual([]);
  });

  it('that is not empty is refused without --force, and keeps what has another name with it', async () => {
    writeFileSync(join(place, 'mine.txt'), 'mine');
    writeFileSync(join(place, 'summary.json'), 'old');
    await expect(prepare(place)).rejects.toThrow(
      /^--out .* is not empty: choose another folder, or .* --force\.$/,
    );
    const output = await prepare(place, { force: true });
    expect(readFileSync(join(place, 'summary.json'), 'utf8')).toBe('old');
    await output.remove('summary.json');
    await output.remove('never-there');
    await output.write([file('config.json', '{}')]);
    expect(readdirSync(place).sort()).toEqual(['config.json', 'mine.txt']);
  });

  it.each([
    ['the source itself', 'model'],
    ['a folder in it', 'model/out'],
    ['a folder around it', '.'],
    ['a link to it', 'link'],
    ['a new folder behind a link', 'link/new/out'],
  ])('is refused when it is %s, also with --force', async (_, out) => {
    mkdirSync(join(place, 'model'));
    writeFileSync(join(place, 'model/config.json'), '{}');
    symlinkSync(join(place, 'model'), join(place, 'link'));
    const sources = [join(place, 'model')];
    await expect(prepare(join(place, out), { force: true, sources })).rejects.toThrow(
      /overlaps the source model’s folder/,
    );
    expect(readdirSync(place).sort()).toEqual(['link', 'model']);
    expect(readdirSync(join(place, 'model'))).toEqual(['config.json']);
    // A name that begins alike is another folder.
    await (await prepare(join(place, 'model-pruned'), { sources })).giveBack();
  });

  it('is refused where it cannot be', async () => {
    writeFileSync(join(place, 'file'), '');
    await expect(prepare(join(place, 'file'))).rejects.toThrow(/is a file: choose another place/);
    await expect(prepare(join(place, 'file/in'))).rejects.toThrow(/is no folder that can be written to/);
    await expect(prepare(join(place, 'big'), { bytes: 1e18 })).rejects.toThrow(
      /needs 1000000000000 MB, but its disk has \d+ MB free: free space/,
    );
    expect(readdirSync(place)).toEqual(['file']);
  });

  it('that fills its disk says so in one sentence', async () => {
    // Every write to this device fails as on a full disk.
    symlinkSync('/dev/full', join(place, '.tmp-model'));
    await expect((await prepare(place, { force: true })).write([file('model', 'x')])).rejects.toThrow(
      /^The disk of --out .* is full: free space, then go on with --resume\.$/,
    );
    expect(readdirSync(place)).toEqual([]);
  });
});

describe('a file that an option names', () => {
  it('is checked before the work and written whole', async () => {
    const path = join(place, 'table.csv');
    await checkOutputFile('--csv', path);
    expect(readdirSync(place)).toEqual([]);
    await writeOutputFile('--csv', path, 'a,b');
    expect(readFileSync(path, 'utf8')).toBe('a,b');
    await checkOutputFile('--csv', path);
    await checkOutputFile('--csv', '/dev/null');
    await writeOutputFile('--csv', '/dev/null', 'a,b');
    await expect(checkOutputFile('--csv', place)).rejects.toThrow(/is a folder: name a file in it/);
    await expect(checkOutputFile('--csv', join(place, 'none/table.csv'))).rejects.toThrow(
      /^--csv .*: there is no folder .*none; make it first\.$/,
    );
    await expect(writeOutputFile('--markdown', '/dev/full', 'x')).rejects.toThrow(
      /^The disk of --markdown \/dev\/full is full/,
    );
  });
});
