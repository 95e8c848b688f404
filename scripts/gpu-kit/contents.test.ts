import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCorpusManifest } from '../../src/data/corpus';
import { corpusFiles, packageFolders, SHAPES, sliceManifest, SOURCES, TESTS } from './contents.mjs';

const root = join(import.meta.dirname, '../..');

describe('what the kit takes along', () => {
  test('every file and folder that it names exists', () => {
    for (const path of SOURCES) expect(existsSync(join(root, path)), path).toBe(true);
    for (const name of SHAPES)
      expect(existsSync(join(root, 'public/models', name, 'config.json'))).toBe(true);
  });

  test('every pattern of tests finds one', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true }).map((file) => `src/${String(file)}`);
    for (const pattern of TESTS)
      expect(
        files.filter((file) => file.includes(pattern)),
        pattern,
      ).not.toEqual([]);
  });

  test('the sliced manifest is one, and its files exist with the bytes that it says', () => {
    const folder = join(root, 'public/corpus');
    const whole = parseCorpusManifest(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
    const sliced = parseCorpusManifest(sliceManifest(whole));
    const { domains } = sliced;
    for (const { name, train, validation } of domains) {
      expect(train.shards).toHaveLength(1);
      for (const { file, tokens } of [...train.shards, validation]) {
        expect(readFileSync(join(folder, name, file)).byteLength).toBe(2 * tokens);
      }
    }
    expect(corpusFiles(sliced)).toHaveLength(2 * domains.length);
  });

  test('packages come with what they depend on, and without other platforms', () => {
    const names = packageFolders(root).map(({ name }) => name);
    expect(names).toContain('vitest');
    expect(names).toContain('@vitest/runner');
    expect(names).toContain('rolldown');
    expect(names.filter((name) => /darwin|win32|^lightningcss/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
