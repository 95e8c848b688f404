import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../corpus/hash.mjs';

/**
 * @typedef {object} TaskEntry an entry of public/tasks/index.json
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {'choice' | 'last_word'} form
 * @property {string | null} domain
 * @property {'acc' | 'acc_norm'} metric
 * @property {number} chance
 * @property {number} items
 * @property {number} built candidates before anything was dropped: items and all counts of `dropped` add up to it
 * @property {string} file
 * @property {string} sha256 of the file
 * @property {Record<string, number>} dropped by reason
 * @property {object | null} filtered_with
 *
 * @typedef {object} TaskIndex
 * @property {1} version
 * @property {string} tokenizer_sha256
 * @property {string} corpus_manifest_sha256
 * @property {TaskEntry[]} tasks
 * @property {object[]} [dropped_tasks] what the filter took out as a whole
 *
 * @typedef {{ id: string, context: string, group?: string, choices?: string[], answer?: number, word?: string }} Item
 * `choices` and `answer`, or `word`
 */

const INDEX = 'index.json';

/** Writes a task's items, one a line. @returns what the index says of the file */
export function writeItems(
  /** @type {string} */ folder,
  /** @type {string} */ name,
  /** @type {Item[]} */ items,
) {
  const lines = items.map((item) => JSON.stringify(item)).join(',\n');
  const text = `{"name":${JSON.stringify(name)},"items":[\n${lines}\n]}\n`;
  const file = `${name}.json`;
  writeFileSync(join(folder, file), text);
  return { items: items.length, file, sha256: sha256(text) };
}

/** @returns {Item[]} */
export function readItems(/** @type {string} */ folder, /** @type {{ file: string }} */ { file }) {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')).items;
}

export function writeIndex(/** @type {string} */ folder, /** @type {TaskIndex} */ index) {
  writeFileSync(join(folder, INDEX), `${JSON.stringify(index, null, 1)}\n`);
}

/** @returns {TaskIndex} */
export function readIndex(/** @type {string} */ folder) {
  return JSON.parse(readFileSync(join(folder, INDEX), 'utf8'));
}
