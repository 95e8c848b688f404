import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { listFiles } from '../files.mjs';
import { MARKED_OFFENSIVE } from '../offensive.mjs';
import { packParagraphs } from '../text.mjs';

/** @typedef {import('../text.mjs').Document} Document */

/** Country descriptions: one document a country, "Field: text" a paragraph, under its section. */
export function factbook(/** @type {string} */ root) {
  return listFiles(root, ['.json'])
    .filter((path) => /^[a-z-]+\/[a-z]{2}\.json$/.test(path) && !path.startsWith('meta/'))
    .map((path) => {
      const record = JSON.parse(readFileSync(join(root, path), 'utf8'));
      const name = record.Government?.['Country name']?.['conventional short form']?.text;
      const sections = Object.entries(record).map(([section, fields]) =>
        [section, ...fieldLines(fields)].join('\n\n'),
      );
      return {
        id: path,
        text: [name && name !== 'none' ? name : '', ...sections].filter(Boolean).join('\n\n'),
      };
    });
}

/** @param {unknown} node @returns {string[]} */
function fieldLines(node, label = '') {
  if (typeof node !== 'object' || node === null) return [];
  const text = /** @type {{ text?: unknown }} */ (node).text;
  if (typeof text === 'string')
    return text.trim().length > 12 ? [`${label}: ${text.replace(/\s+/g, ' ').trim()}`] : [];
  return Object.entries(node).flatMap(([key, child]) => fieldLines(child, key));
}

/** Dictionary entries ("words: gloss"), forty neighbours of one lexicographer file to a document. */
export function wordnet(/** @type {string} */ root) {
  /** @type {Document[]} */
  const documents = [];
  for (const part of ['noun', 'verb', 'adj', 'adv']) {
    /** @type {Map<string, string[]>} */
    const byFile = new Map();
    for (const line of readFileSync(join(root, 'dict', `data.${part}`), 'latin1').split('\n')) {
      const entry = parseSynset(line);
      if (!entry || MARKED_OFFENSIVE.test(entry.text)) continue;
      byFile.set(entry.file, [...(byFile.get(entry.file) ?? []), entry.text]);
    }
    for (const [file, entries] of byFile) {
      for (let i = 0; i < entries.length; i += 40) {
        documents.push({ id: `${part}/${file}/${i / 40}`, text: entries.slice(i, i + 40).join('\n\n') });
      }
    }
  }
  return documents;
}

/** @param {string} line an entry of a WordNet data file: offset, file, type, count, (word, id)…, pointers, | gloss */
function parseSynset(line) {
  const bar = line.indexOf(' | ');
  if (line.startsWith('  ') || bar < 0) return null;
  const fields = line.slice(0, bar).split(' ');
  const count = parseInt(fields[3] ?? '0', 16);
  const words = Array.from({ length: count }, (_, i) =>
    (fields[4 + 2 * i] ?? '').replace(/_/g, ' ').replace(/\(\w+\)$/, ''),
  );
  return { file: fields[1] ?? '', text: `${words.join(', ')}: ${line.slice(bar + 3).trim()}` };
}

/** Entries of the Jargon File ("word: description"), about 6,000 characters of neighbours to a document. */
export function jargonFile(/** @type {string} */ root) {
  const text = gunzipSync(readFileSync(join(root, 'usr/share/dictd/jargon.dict.dz'))).toString('utf8');
  const entries = text
    .slice(text.indexOf('\n(TM)\n') + 1)
    .split(/\n\n(?=\S)/)
    .map((entry) => {
      const [word = '', , ...lines] = entry.split('\n');
      const paragraphs = lines.join('\n').split(/\n\s*\n/);
      const description = paragraphs
        .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
        .filter(Boolean);
      return `${word}: ${description.join('\n\n')}`.replace(/\{\s*([^{}]*?)\s*\}/g, '$1');
    })
    .filter((entry) => !MARKED_OFFENSIVE.test(entry));
  return packParagraphs(entries, 6_000).map((piece, index) => ({ id: `jargon/${index}`, text: piece }));
}
