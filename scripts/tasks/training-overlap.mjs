/** Characters that the rolling hash covers; a needle is at least as long. */
export const SHORTEST = 16;
const BASE = 131;

/**
 * Which needles occur somewhere in the texts: Rabin and Karp's search for many strings at once, over the first
 * `SHORTEST` characters of each, then a comparison of the whole.
 * @param {Iterable<string>} needles
 * @param {Iterable<string>} texts
 */
export function occurringIn(needles, texts) {
  /** @type {Map<number, string[]>} */
  const byHash = new Map();
  for (const needle of new Set(needles)) {
    const hash = hashOf(needle);
    byHash.set(hash, [...(byHash.get(hash) ?? []), needle]);
  }
  let highest = 1;
  for (let i = 1; i < SHORTEST; i++) highest = Math.imul(highest, BASE);
  /** @type {Set<string>} */
  const found = new Set();
  for (const text of texts) {
    if (text.length < SHORTEST) continue;
    let hash = hashOf(text);
    for (let at = 0; ; at++) {
      for (const needle of byHash.get(hash) ?? []) if (text.startsWith(needle, at)) found.add(needle);
      if (at + SHORTEST >= text.length) break;
      hash = Math.imul(hash - Math.imul(text.charCodeAt(at), highest), BASE);
      hash = (hash + text.charCodeAt(at + SHORTEST)) | 0;
    }
  }
  return found;
}

/** Of the first `SHORTEST` characters, in 32 bits. */
function hashOf(/** @type {string} */ text) {
  let hash = 0;
  for (let i = 0; i < SHORTEST; i++) hash = (Math.imul(hash, BASE) + text.charCodeAt(i)) | 0;
  return hash;
}
