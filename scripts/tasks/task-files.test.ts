import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../corpus/hash.mjs';
import { openTokenizer } from './documents.mjs';
import { readIndex, readItems } from './files.mjs';
import { commonestWordShare } from './last-word.mjs';

const CORPUS = 'public/corpus';
const TASKS = 'public/tasks';
const WINDOW = 128;
const index = readIndex(TASKS);
const { encode } = openTokenizer(CORPUS);

it('the tasks belong to the committed corpus and its tokenizer', () => {
  expect(index.corpus_manifest_sha256).toBe(sha256(readFileSync(`${CORPUS}/manifest.json`)));
  expect(index.tokenizer_sha256).toBe(sha256(readFileSync(`${CORPUS}/tokenizer.json`)));
});

describe.each(index.tasks)('$name', (task) => {
  const items = readItems(TASKS, task);

  it('is the file that the index describes', () => {
    expect(sha256(readFileSync(`${TASKS}/${task.file}`))).toBe(task.sha256);
    expect(items).toHaveLength(task.items);
    const dropped = Object.values(task.dropped).reduce((sum, count) => sum + count, 0);
    expect(task.items + dropped).toBe(task.built);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
  });

  it('has items inside a window, the longest answer included', () => {
    for (const { context, choices, word } of items) {
      for (const answer of choices ?? [word!]) {
        expect(encode(context + answer).length).toBeLessThan(WINDOW);
      }
    }
  });

  if (task.form === 'last_word') {
    it('asks for one word with its space; chance is the commonest', () => {
      for (const { context, word } of items) {
        expect(word).toMatch(/^ [a-z]{3,}$/);
        expect(context.toLowerCase()).toContain(word!.trim());
      }
      expect(commonestWordShare(items)).toBe(task.chance);
    });
    return;
  }

  it('has one right answer among different choices', () => {
    const count = 1 / task.chance;
    for (const { choices, answer } of items) {
      expect(choices).toHaveLength(count);
      expect(new Set(choices).size).toBe(count);
      expect(answer).toBeGreaterThanOrEqual(0);
      expect(answer).toBeLessThan(count);
    }
  });

  it('has its answers evenly in all places', () => {
    const count = 1 / task.chance;
    // As built, exactly to within one. A filter takes out groups, which hold places by chance: four standard deviations.
    const margin = task.filtered_with ? 4 * Math.sqrt(items.length * task.chance * (1 - task.chance)) : 1;
    for (let place = 0; place < count; place++) {
      const there = items.filter(({ answer }) => answer === place).length;
      expect(Math.abs(there - items.length / count)).toBeLessThanOrEqual(margin);
    }
  });
});
