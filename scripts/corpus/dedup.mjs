import { createHash } from 'node:crypto';

/** Paragraphs with fewer letters than these are headings and set phrases: they stay however often they come. */
const MIN_LETTERS = 60;
/** Words in a shingle: changing one word in forty leaves a Jaccard similarity of .81. */
const SHINGLE = 4;
/** Two paragraphs repeat each other from this Jaccard similarity of their shingles on. */
export const SIMILARITY = 0.7;
/**
 * Min-hash values are compared in 16 bands of 4. Paragraphs of similarity s meet in at least one band with
 * probability 1 − (1 − s⁴)¹⁶: .64 at s = .5, .99 at .7, .9998 at .8. Whoever meets is compared exactly, so the
 * bands decide only what is missed.
 */
const BANDS = 16;
const ROWS = 4;
/** Words in a run that training may not share with held-out text (n-gram overlap as GPT-3 counts it). */
export const RUN = 13;

/** Words for comparing: letters only, lower case, so that a copy with other numbers or marks is the same. */
export const wordsOf = (/** @type {string} */ text) => text.toLowerCase().match(/\p{L}+/gu) ?? [];

/**
 * Removes repeated paragraphs: equal letters, or a Jaccard similarity of SIMILARITY and more to one that was
 * kept before. One instance reads the whole corpus, held-out documents first, so that they lose nothing to
 * training. (Broder 1997; locality-sensitive hashing as in Leskovec, Rajaraman & Ullman, chapter 3.)
 */
export class ParagraphFilter {
  /** @type {Set<string>} */
  #exact = new Set();
  /** @type {Uint32Array[]} shingles of the kept paragraphs, sorted */
  #kept = [];
  /** @type {Map<number, number[]>[]} band value → indices into #kept */
  #bands = Array.from({ length: BANDS }, () => new Map());

  /** @param {string} text paragraphs separated by empty lines */
  filter(text) {
    return text
      .split('\n\n')
      .filter((paragraph) => this.#isNew(wordsOf(paragraph)))
      .join('\n\n');
  }

  /** @param {string[]} words */
  #isNew(words) {
    const letters = words.join(' ');
    if (letters.length < MIN_LETTERS) return true;
    const key = createHash('md5').update(letters).digest('base64');
    if (this.#exact.has(key)) return false;
    this.#exact.add(key);

    const shingles = Uint32Array.from(new Set(runHashes(words, SHINGLE))).sort();
    const values = bandValues(shingles);
    const compared = new Set();
    for (const [band, value] of values.entries()) {
      for (const index of this.#bands[band]?.get(value) ?? []) {
        if (compared.has(index)) continue;
        compared.add(index);
        if (jaccard(shingles, /** @type {Uint32Array} */ (this.#kept[index])) >= SIMILARITY) return false;
      }
    }
    for (const [band, value] of values.entries()) {
      const bucket = this.#bands[band]?.get(value);
      if (bucket) bucket.push(this.#kept.length);
      else this.#bands[band]?.set(value, [this.#kept.length]);
    }
    this.#kept.push(shingles);
    return true;
  }
}

/** Paragraphs longer than this lose single sentences instead of everything. */
const LONG_PARAGRAPH = 1000;
const SENTENCE_END = /(?<=[.!?]["')]*) (?=\p{Lu}|["'(])/u;

/** The runs of RUN words of held-out text, and what of the training text is free of them. */
export class HeldOutRuns {
  /** @type {Set<number>} */
  #runs = new Set();

  /** @param {string} text */
  add(text) {
    for (const run of runHashes(wordsOf(text), RUN)) this.#runs.add(run);
  }

  /** @param {string} text paragraphs separated by empty lines; returned without those that share a run */
  without(text) {
    const isFree = (/** @type {string} */ part) =>
      !runHashes(wordsOf(part), RUN).some((run) => this.#runs.has(run));
    return text
      .split('\n\n')
      .map((paragraph) => {
        const isProse = paragraph.length > LONG_PARAGRAPH && !paragraph.includes('\n');
        const parts = isProse ? paragraph.split(SENTENCE_END) : [paragraph];
        return parts.filter(isFree).join(' ');
      })
      .filter(Boolean)
      .join('\n\n');
  }
}

/** @param {string[]} words @param {number} length @returns {number[]} a 32-bit hash for each run; none if too short */
function runHashes(words, length) {
  const hashes = words.map(fnv1a);
  return Array.from({ length: Math.max(0, words.length - length + 1) }, (_, i) => {
    let hash = 0;
    for (let j = i; j < i + length; j++) hash = mix(hash ^ /** @type {number} */ (hashes[j]));
    return hash;
  });
}

/** @param {Uint32Array} shingles @returns {number[]} a value for each band */
function bandValues(shingles) {
  if (!shingles.length) return [];
  return Array.from({ length: BANDS }, (_, band) => {
    let value = 0;
    for (let row = 0; row < ROWS; row++) {
      const seed = Math.imul(band * ROWS + row + 1, 0x9e3779b1);
      let least = 2 ** 32;
      for (const shingle of shingles) least = Math.min(least, mix(shingle ^ seed));
      value = mix(value ^ least);
    }
    return value;
  });
}

/** @param {Uint32Array} a @param {Uint32Array} b both sorted, without repeats */
function jaccard(a, b) {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [left, right] = [/** @type {number} */ (a[i]), /** @type {number} */ (b[j])];
    if (left === right) common++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return common / (a.length + b.length - common);
}

/** @param {string} text */
function fnv1a(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. @param {number} hash */
function mix(hash) {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
