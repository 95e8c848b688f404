import { wordsOf } from './dedup.mjs';
import { forEachRun } from './runs.mjs';

/**
 * Of each held-out stream, the share of positions that open a run of `length` tokens which also stands in the
 * training text of its own domain, or of any.
 * @param {{ domain: string, tokens: Uint16Array }[]} heldOut
 * @param {{ domain: string, read: () => Uint16Array }[]} training read one after the other
 * @param {number} length
 * @returns {{ own: number, any: number }[]} in the order of `heldOut`
 */
export function overlapOfStreams(heldOut, training, length) {
  /** @type {Map<number, number>} run → bits of the training streams that hold it */
  const holders = new Map();
  for (const { tokens } of heldOut) forEachRun(tokens, length, (key) => holders.set(key, 0));
  for (const [i, { read }] of training.entries()) {
    forEachRun(read(), length, (key) => {
      const bits = holders.get(key);
      if (bits !== undefined) holders.set(key, bits | (1 << i));
    });
  }
  return heldOut.map(({ domain, tokens }) => {
    const bit = 1 << training.findIndex((stream) => stream.domain === domain);
    let [runs, own, any] = [0, 0, 0];
    forEachRun(tokens, length, (key) => {
      const bits = holders.get(key) ?? 0;
      runs++;
      if (bits & bit) own++;
      if (bits) any++;
    });
    return { own: own / runs, any: any / runs };
  });
}

/**
 * Which texts hold a run of `length` words that training text holds, too; undefined for shorter ones.
 * @param {string[]} texts
 * @param {Iterable<string>} training documents
 * @param {number} length
 */
export function overlapOfTexts(texts, training, length) {
  /** @type {Map<string, number>} 0 stays for words that no text has */
  const idOf = new Map();
  const ids = texts.map((text) =>
    wordsOf(text).map((word) => {
      const id = idOf.get(word) ?? idOf.size + 1;
      idOf.set(word, id);
      return id;
    }),
  );
  /** @type {Map<number, boolean>} run → whether training has it */
  const found = new Map();
  for (const own of ids) forEachRun(own, length, (key) => found.set(key, false));
  for (const document of training) {
    const words = wordsOf(document).map((word) => idOf.get(word) ?? 0);
    forEachRun(words, length, (key) => found.has(key) && found.set(key, true));
  }
  return ids.map((own) => {
    if (own.length < length) return undefined;
    let shared = false;
    forEachRun(own, length, (key) => (shared ||= found.get(key) ?? false));
    return shared;
  });
}
