import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { contaminationSchema } from '../../src/data/contamination';
import { readIndex } from '../tasks/files.mjs';
import { sha256 } from './hash.mjs';
import { DOMAINS } from './recipe.mjs';

const report = contaminationSchema.parse(
  JSON.parse(readFileSync('public/corpus/contamination.json', 'utf8')),
);

it('belongs to the committed corpus and to the committed tasks', () => {
  expect(report.manifest_sha256).toBe(sha256(readFileSync('public/corpus/manifest.json')));
  const tasks = existsSync('public/tasks/index.json') ? readIndex('public/tasks').tasks : [];
  expect(report.tasks.map(({ name, sha256 }) => ({ name, sha256 }))).toEqual(
    tasks.map(({ name, sha256 }) => ({ name, sha256 })),
  );
});

it('covers both held-out splits of every domain', () => {
  const named = (run: number) =>
    report.splits.filter((entry) => entry.run === run).map(({ domain, split }) => `${domain} ${split}`);
  const expected = DOMAINS.flatMap(({ name }) => [`${name} validation`, `${name} test`]);
  expect(named(24)).toEqual(expected);
  expect(named(13)).toEqual(expected);
});

it('stays below the limits that docs/corpus.md leads to expect', () => {
  // Most are in reference and mathematics: figures with their labels, and formulas, in which few words stand.
  const most = (run: number) =>
    Math.max(...report.splits.filter((entry) => entry.run === run).map(({ any }) => any));
  expect(most(24)).toBeLessThan(0.06);
  expect(most(13)).toBeLessThan(0.12);
  // Countries share sequences of short fields with their labels; elsewhere few items share a run.
  for (const { name, compared, shared } of report.tasks) {
    expect(shared, name).toBeLessThanOrEqual(compared * (name === 'continuation-reference' ? 0.15 : 0.02));
  }
});
