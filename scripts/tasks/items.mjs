import { fraction, sha256 } from '../corpus/hash.mjs';

/**
 * What a task's module makes. `answer` and `distractors` continue `context` as they stand; a last word has no
 * distractors.
 * @typedef {object} Candidate
 * @property {string} context
 * @property {string} answer
 * @property {string[]} distractors
 * @property {string} [group] what results are also given by: a phenomenon, a source
 */

/** Depends on the text alone, so an item keeps its id when others come or go. @param {Candidate} candidate */
export const itemId = ({ context, answer, distractors }) =>
  sha256([context, answer, ...distractors].join('\0')).slice(0, 12);

/**
 * Candidates in an order that depends on their text and `purpose` only.
 * @template {Candidate} T
 * @param {T[]} candidates
 * @param {string} purpose
 */
export const shuffled = (candidates, purpose) =>
  candidates
    .map((candidate) => ({ candidate, place: fraction(purpose, itemId(candidate)) }))
    .sort((a, b) => a.place - b.place)
    .map(({ candidate }) => candidate);

/**
 * Every choice stands equally often (to within one) in every place: item i of n choices has its answer at i mod n.
 * @param {Candidate} candidate
 * @param {number} index
 */
export function choiceItem(candidate, index) {
  const { context, answer: right, distractors, group } = candidate;
  const answer = index % (distractors.length + 1);
  const choices = distractors.toSpliced(answer, 0, right);
  return { id: itemId(candidate), context, choices, answer, ...(group && { group }) };
}

/** @param {Candidate} candidate */
export function lastWordItem(candidate) {
  const { context, answer, group } = candidate;
  return { id: itemId(candidate), context, word: answer, ...(group && { group }) };
}

/**
 * `count` different members of `list` that `fits` takes (it sees those taken so far), or null when there are
 * not as many. Where the search begins depends on `seed`, so a common list gives each item others.
 * @template T
 * @param {T[]} list
 * @param {number} count
 * @param {string} seed
 * @param {(member: T, taken: T[]) => boolean} fits
 */
export function draw(list, count, seed, fits) {
  /** @type {T[]} */
  const taken = [];
  const order = drawOrder(list.length, seed);
  for (const index of order) {
    const member = /** @type {T} */ (list[index]);
    if (fits(member, taken)) taken.push(member);
    if (taken.length === count) return taken;
  }
  return null;
}

/**
 * Steps through 0 … length − 1 by a stride that has no factor in common with `length`: every place once, in an
 * order that looks arbitrary, without shuffling a long list for each item.
 * @param {number} length
 * @param {string} seed
 */
function* drawOrder(length, seed) {
  let stride = 1 + Math.floor(fraction('task-stride', seed) * length);
  while (length > 1 && gcd(stride, length) > 1) stride++;
  let at = Math.floor(fraction('task-start', seed) * length);
  for (let i = 0; i < length; i++) {
    yield at;
    at = (at + stride) % length;
  }
}

/** @param {number} a @param {number} b @returns {number} */
const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));
