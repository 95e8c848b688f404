import { dictionaryEntries } from './dictionary.mjs';
import { draw } from './items.mjs';

/**
 * @typedef {import('./items.mjs').Candidate} Candidate
 * @typedef {import('./dictionary.mjs').Entry} Entry
 */

/**
 * Word → definition: an entry as the dictionary writes it, "words: gloss", and the glosses of three other
 * entries of the same part of speech and nearly the same length, from other documents.
 * @param {string[]} documents
 * @returns {Candidate[]}
 */
export function wordToDefinition(documents) {
  const entries = dictionaryEntries(documents);
  return entries.flatMap((entry) => {
    const others = draw(
      entries,
      3,
      entry.words,
      (other) => isOther(entry, other) && isNear(entry.gloss.length, other.gloss.length),
    );
    if (!others) return [];
    return {
      context: `${entry.words}:`,
      answer: ` ${entry.gloss}`,
      distractors: others.map(({ gloss }) => ` ${gloss}`),
      group: entry.pos,
    };
  });
}

/**
 * Definition → word: the gloss, then the entry's first word or that of three others of the same part of speech
 * and nearly the same length, from other documents. No word of the four stands in the gloss.
 * @param {string[]} documents
 * @returns {Candidate[]}
 */
export function definitionToWord(documents) {
  const entries = dictionaryEntries(documents)
    .map((entry) => ({ ...entry, word: String(entry.words.split(', ')[0]) }))
    .filter(({ word }) => /^[a-z]{4,}$/.test(word));
  return entries.flatMap((entry) => {
    const isNew = (/** @type {string} */ word) => !entry.gloss.toLowerCase().includes(word);
    if (!isNew(entry.word)) return [];
    const others = draw(
      entries,
      3,
      entry.gloss,
      (other, taken) =>
        isOther(entry, other) &&
        isNear(entry.word.length, other.word.length) &&
        isNew(other.word) &&
        [entry, ...taken].every(({ word }) => word !== other.word),
    );
    if (!others) return [];
    return {
      context: `${entry.gloss}:`,
      answer: ` ${entry.word}`,
      distractors: others.map(({ word }) => ` ${word}`),
      group: entry.pos,
    };
  });
}

/** From another document, since neighbours of a dictionary mean nearly the same. */
const isOther = (/** @type {Entry} */ entry, /** @type {Entry} */ other) =>
  entry.pos === other.pos && entry.document !== other.document && entry.gloss !== other.gloss;

/** Lengths in characters within a quarter: otherwise length would answer. */
const isNear = (/** @type {number} */ length, /** @type {number} */ other) =>
  Math.abs(length - other) <= length / 4;
