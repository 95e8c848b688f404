/**
 * Counter-based random numbers: a value depends on its key and index alone, never on how many were drawn
 * before, so that a run can resume anywhere and reads the same data in every order of work.
 */

/** Mixes 32-bit words into one (the finaliser of MurmurHash3 after each word). */
export function hashWords(...words: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
    hash = (hash + 0x9e3779b9) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Uniform in [0, 1). */
export function uniform(...words: readonly number[]): number {
  return hashWords(...words) / 2 ** 32;
}

const ROUNDS = 6;

/**
 * Element `index` of a shuffled list 0 … length − 1, without making the list: a balanced Feistel network over
 * the next even number of bits, walked until it lands inside (on average at most four times).
 */
export function shuffledIndex(index: number, length: number, ...key: readonly number[]): number {
  const halfBits = Math.max(1, Math.ceil(Math.log2(length) / 2));
  const mask = 2 ** halfBits - 1;
  let value = index;
  do {
    let left = Math.floor(value / (mask + 1));
    let right = value & mask;
    for (let round = 0; round < ROUNDS; round++) {
      [left, right] = [right, left ^ (hashWords(...key, round, right) & mask)];
    }
    value = left * (mask + 1) + right;
  } while (value >= length);
  return value;
}
