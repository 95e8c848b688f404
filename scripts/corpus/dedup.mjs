import { createHash } from 'node:crypto';

const MIN_LENGTH = 60;
const SHINGLE = 6;

/**
 * Removes repeated paragraphs. One instance is used for a whole domain, validation documents first, so a
 * paragraph that validation holds can never also be in training.
 *
 * Exact repeats: equal after lower-casing and dropping digits, punctuation and spaces (so a copy with another
 * version number counts). Near repeats: two bands of a min-hash sketch over runs of six words; an equal band
 * means that the paragraphs share most of their runs.
 */
export class ParagraphFilter {
  #seen = new Set();
  removed = 0;

  /** @param {string} text */
  filter(text) {
    const kept = text.split('\n\n').filter((paragraph) => {
      if (!this.#isNew(paragraph)) {
        this.removed += paragraph.length;
        return false;
      }
      return true;
    });
    return kept.join('\n\n');
  }

  /** @param {string} paragraph */
  #isNew(paragraph) {
    const letters = paragraph
      .toLowerCase()
      .replace(/[^\p{L}]+/gu, ' ')
      .trim();
    if (letters.length < MIN_LENGTH) return true;
    const keys = [digest(letters), ...sketch(letters.split(' '))];
    const isNew = !keys.some((key) => this.#seen.has(key));
    for (const key of keys) this.#seen.add(key);
    return isNew;
  }
}

const digest = (/** @type {string} */ text) => createHash('md5').update(text).digest('base64').slice(0, 16);

/** @param {string[]} words */
function sketch(words) {
  if (words.length < 4 * SHINGLE) return [];
  const minima = [Infinity, Infinity, Infinity, Infinity];
  for (let i = 0; i + SHINGLE <= words.length; i++) {
    const base = fnv1a(words.slice(i, i + SHINGLE).join(' '));
    for (let band = 0; band < minima.length; band++) {
      const value = Math.imul(base ^ (base >>> 15), 0x9e3779b1 + 0x2545f492 * band) >>> 0;
      if (value < /** @type {number} */ (minima[band])) minima[band] = value;
    }
  }
  return [`a${minima[0]}.${minima[1]}`, `b${minima[2]}.${minima[3]}`];
}

/** @param {string} text */
function fnv1a(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
