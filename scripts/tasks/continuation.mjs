import { draw } from './items.mjs';

const CONTEXT = { atLeast: 140, atMost: 190 };
/** All four continuations have this many characters up to the next end of a word: about twenty tokens. */
const CONTINUATION = 48;
const LONGEST_WORD = 24;
const WORD_BEFORE_SPACE = /\S+(?= \S)/g;
const SENTENCE_START = /(?:^|[.!?]["')]*\s+|\n\s*)(?=\S)/g;

/**
 * Passages with their true continuation and three from other documents of the domain (HellaSwag's form). A
 * passage is cut at a space in the middle of a sentence, and a distractor followed the same word (with the same
 * punctuation) where it stands, so a model that knows pairs of words only is at chance.
 * @param {string[]} documents of one domain
 * @returns {import('./items.mjs').Candidate[]}
 */
export function continuations(documents) {
  const cuts = cutsByWord(documents);
  return documents.flatMap((text, document) => {
    /** @type {import('./items.mjs').Candidate[]} */
    const candidates = [];
    let free = 0;
    for (const { 0: mark, index } of text.matchAll(SENTENCE_START)) {
      const start = index + mark.length;
      if (start < free) continue;
      const candidate = candidateAt(text, document, start, cuts);
      if (!candidate) continue;
      candidates.push(candidate);
      free = start + candidate.context.length + candidate.answer.length;
    }
    return candidates;
  });
}

/** @typedef {{ document: number, continuation: string }} Cut */

/** The first cut after a passage's least length at which three other documents have the same word. */
function candidateAt(
  /** @type {string} */ text,
  /** @type {number} */ document,
  /** @type {number} */ start,
  /** @type {Map<string, Cut[]>} */ cuts,
) {
  const passage = text.slice(start, start + CONTEXT.atMost);
  for (const { 0: word, index } of passage.matchAll(WORD_BEFORE_SPACE)) {
    const end = index + word.length;
    if (end < CONTEXT.atLeast) continue;
    const answer = continuationAt(text, start + end);
    const context = passage.slice(0, end);
    const distractors =
      answer &&
      draw(cuts.get(word) ?? [], 3, context, (cut, taken) =>
        [{ document, continuation: answer }, ...taken].every(
          (one) => one.document !== cut.document && one.continuation !== cut.continuation,
        ),
      );
    if (distractors) {
      return { context, answer, distractors: distractors.map(({ continuation }) => continuation) };
    }
  }
  return null;
}

/** Every place of every document where a single space stands between words, by the word before it. */
function cutsByWord(/** @type {string[]} */ documents) {
  /** @type {Map<string, Cut[]>} */
  const cuts = new Map();
  documents.forEach((text, document) => {
    for (const { 0: word, index } of text.matchAll(WORD_BEFORE_SPACE)) {
      const continuation = continuationAt(text, index + word.length);
      if (!continuation) continue;
      const followers = cuts.get(word);
      if (followers) followers.push({ document, continuation });
      else cuts.set(word, [{ document, continuation }]);
    }
  });
  return cuts;
}

/** What follows from the space at `at`, whole words only; empty where the text ends or a word has no end. */
function continuationAt(/** @type {string} */ text, /** @type {number} */ at) {
  const end = text.slice(at + CONTINUATION, at + CONTINUATION + LONGEST_WORD).search(/\s/);
  return end < 0 ? '' : text.slice(at, at + CONTINUATION + end).trimEnd();
}
