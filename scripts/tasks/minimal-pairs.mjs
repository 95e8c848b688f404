import { AGREEMENT } from './agreement.mjs';
import { shuffled } from './items.mjs';
import { OTHERS } from './other-phenomena.mjs';
import { isProse, sentences } from './sentences.mjs';
import { VERBS } from './verb-forms.mjs';

export const PHENOMENA = [...AGREEMENT, ...VERBS, ...OTHERS];
const SENTENCE = { atLeast: 30, atMost: 200 };

/**
 * Sentences of the corpus and what one edit makes of them (BLiMP's form): which of the two is the more likely
 * text? A sentence is used once, for the phenomenon that is rarest in these documents among those it shows.
 * @param {string[]} documents
 * @returns {import('./items.mjs').Candidate[]}
 */
export function minimalPairs(documents) {
  const good = new Set(
    documents.flatMap((text) =>
      text
        .split('\n')
        .flatMap(sentences)
        .filter((sentence) => isProse(sentence) && isOfLength(sentence)),
    ),
  );
  const pairs = PHENOMENA.flatMap(({ name, rules }) =>
    rules.flatMap((rule) =>
      [...good].flatMap((answer) => {
        const bad = rule(answer);
        return bad === null ? [] : [{ context: '', answer, distractors: [bad], group: name }];
      }),
    ),
  );
  const counts = new Map(
    PHENOMENA.map(({ name }) => [name, pairs.filter(({ group }) => group === name).length]),
  );
  /** @type {Set<string>} */
  const used = new Set();
  return shuffled(pairs, 'pair-choice')
    .sort((a, b) => Number(counts.get(a.group)) - Number(counts.get(b.group)))
    .filter(({ answer }) => !used.has(answer) && used.add(answer));
}

const isOfLength = (/** @type {string} */ { length }) =>
  length >= SENTENCE.atLeast && length <= SENTENCE.atMost;
