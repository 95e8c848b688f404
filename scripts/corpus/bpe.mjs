/** Byte-level byte-pair encoding, in the form that Hugging Face calls ByteLevel + BPE. */

/** How text is cut before merging: contractions, then words, numbers and marks with their leading space. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
/** Longer tokens than this would only hold rules and indentation. */
const MAX_TOKEN_BYTES = 16;
export const END_OF_TEXT = '<|endoftext|>';

/** Byte → printable character: printable bytes stand for themselves, the others for code points from 256 on. */
const BYTE_CHARACTERS = (() => {
  const printable = (/** @type {number} */ byte) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const encoder = new TextEncoder();
const pieceCharacters = (/** @type {string} */ piece) =>
  Array.from(encoder.encode(piece), (byte) => /** @type {string} */ (BYTE_CHARACTERS[byte]));

/**
 * Learns merges: again and again the most frequent pair of neighbours becomes one symbol. Ties go to the pair
 * whose symbols are older, so the result depends on the text alone.
 * @param {string[]} texts
 * @param {number} vocabularySize
 */
export function trainBpe(texts, vocabularySize) {
  const symbols = [END_OF_TEXT, ...[...BYTE_CHARACTERS].sort()];
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of texts)
    for (const [piece] of text.matchAll(PIECES)) counts.set(piece, (counts.get(piece) ?? 0) + 1);

  const words = [...counts].map(([piece, count]) => ({
    ids: pieceCharacters(piece).map((character) => /** @type {number} */ (idOf.get(character))),
    count,
  }));
  /** pair key → how often, and in which words it was ever seen */
  const PAIR = 1 << 16;
  /** @type {Map<number, { count: number, words: Set<number> }>} */
  const pairs = new Map();
  const addPairs = (/** @type {number} */ index, /** @type {1 | -1} */ sign) => {
    const { ids, count } = /** @type {{ ids: number[], count: number }} */ (words[index]);
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = /** @type {number} */ (ids[i]) * PAIR + /** @type {number} */ (ids[i + 1]);
      let pair = pairs.get(key);
      if (!pair) pairs.set(key, (pair = { count: 0, words: new Set() }));
      pair.count += sign * count;
      if (sign > 0) pair.words.add(index);
    }
  };
  for (let index = 0; index < words.length; index++) addPairs(index, 1);

  /** @type {[string, string][]} */
  const merges = [];
  while (symbols.length < vocabularySize) {
    let best = -1;
    let bestCount = 0;
    for (const [key, { count }] of pairs) {
      if (count > bestCount || (count === bestCount && count > 0 && key < best)) {
        if (symbolLength(key) > MAX_TOKEN_BYTES) continue;
        best = key;
        bestCount = count;
      }
    }
    if (best < 0) throw new Error(`the text holds only ${symbols.length} symbols`);
    const left = Math.floor(best / PAIR);
    const right = best % PAIR;
    const merged = symbols.length;
    merges.push([/** @type {string} */ (symbols[left]), /** @type {string} */ (symbols[right])]);
    symbols.push(`${symbols[left]}${symbols[right]}`);
    for (const index of /** @type {{ words: Set<number> }} */ (pairs.get(best)).words) {
      addPairs(index, -1);
      const word = /** @type {{ ids: number[] }} */ (words[index]);
      word.ids = mergePair(word.ids, left, right, merged);
      addPairs(index, 1);
    }
    pairs.delete(best);
  }
  return { symbols, merges };

  function symbolLength(/** @type {number} */ key) {
    return (
      /** @type {string} */ (symbols[Math.floor(key / PAIR)]).length +
      /** @type {string} */ (symbols[key % PAIR]).length
    );
  }
}

/** @param {number[]} ids @param {number} left @param {number} right @param {number} merged */
function mergePair(ids, left, right, merged) {
  const out = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(merged);
      i++;
    } else out.push(/** @type {number} */ (ids[i]));
  }
  return out;
}

/**
 * An encoder that merges each distinct piece once. build.mjs proves it equal to @huggingface/tokenizers.
 * @param {{ symbols: string[], merges: [string, string][] }} bpe
 */
export function createEncoder({ symbols, merges }) {
  const idOf = new Map(symbols.map((symbol, id) => [symbol, id]));
  const rankOf = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  /** @type {Map<string, number[]>} */
  const known = new Map();
  const encodePiece = (/** @type {string} */ piece) => {
    let parts = pieceCharacters(piece);
    for (;;) {
      let best = -1;
      let bestRank = Infinity;
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = rankOf.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
        if (rank < bestRank) [best, bestRank] = [i, rank];
      }
      if (best < 0) return parts.map((part) => /** @type {number} */ (idOf.get(part)));
      parts = [...parts.slice(0, best), `${parts[best]}${parts[best + 1]}`, ...parts.slice(best + 2)];
    }
  };
  return (/** @type {string} */ text) => {
    /** @type {number[]} */
    const ids = [];
    for (const [piece] of text.matchAll(PIECES)) {
      let encoded = known.get(piece);
      if (!encoded) known.set(piece, (encoded = encodePiece(piece)));
      ids.push(...encoded);
    }
    return ids;
  };
}

/** @param {{ symbols: string[], merges: [string, string][] }} bpe the content of tokenizer.json */
export const tokenizerJson = ({ symbols, merges }) => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [
    {
      id: 0,
      content: END_OF_TEXT,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: Object.fromEntries(symbols.map((symbol, id) => [symbol, id])),
    merges,
  },
});
