import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

// eslint.config.js keeps the floors apart; this keeps two files from importing each other in a circle.

const root = join(import.meta.dirname, '..');

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** The repository's own modules that a file imports, types included. */
function importsOf(path: string): string[] {
  return ts.preProcessFile(readFileSync(path, 'utf8')).importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith('.')) return [];
    const target = join(dirname(path), fileName.replace(/\?.*$/, ''));
    const candidates = [target, `${target}.ts`, `${target}.tsx`, join(target, 'index.ts')];
    return candidates
      .filter((candidate) => existsSync(candidate) && statSync(candidate).isFile())
      .slice(0, 1);
  });
}

/** The first circle found, as the list of its files, or null. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (file: string, trail: string[]): string[] | null => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next, [...trail, file]);
      if (circle) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const circle = visit(file, []);
    if (circle) return circle;
  }
  return null;
}

test('a circle is found where there is one', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ]);
  expect(findCircle(graph)).toEqual(['b', 'd', 'b']);
});

test('no two files import each other in a circle', () => {
  const graph = new Map(sourceFiles(join(root, 'src')).map((path) => [path, importsOf(path)]));
  // The search is only worth something if it sees the imports.
  expect([...graph.values()].flat().length).toBeGreaterThan(10);
  expect(findCircle(graph)?.map((path) => relative(root, path)) ?? null).toBeNull();
});
