import { isProse, sentences } from './sentences.mjs';

/** A passage is its last sentence and as many before it as fit: about sixty to a hundred tokens. */
const LONGEST_PASSAGE = 280;
/** The repeat has to be further back than a phrase like "again and again". */
const WORDS_BETWEEN = 4;
/** Words that any sentence may repeat say nothing about the passage. */
const COMMON = new Set(
  (
    'about above after again against all also always and another any are because been before being below both but ' +
    'can could did does done down each else even ever every few for from had has have her here hers him his how into ' +
    'its just last less like made many may might more most much must never none not nothing now off once one only ' +
    'other others our out over own same shall she should since some such than that the their them then there these ' +
    'they this those three thus too two under until upon used very was way well were what when where which who whom ' +
    'whose why will with would yes yet you your'
  ).split(' '),
);

/**
 * Passages whose last word has to be given (LAMBADA's form): runs of whole sentences of one paragraph whose
 * last word is of three letters or more, is no common word and stands already in the passage, at least
 * `WORDS_BETWEEN` words before. LAMBADA had people choose words that the passage decides; most of those occur
 * in it, and this rule is the part of it that a script can apply.
 * @param {string[]} documents of one domain
 * @param {string} domain
 * @returns {import('./items.mjs').Candidate[]}
 */
export function lastWords(documents, domain) {
  return documents.flatMap((text) =>
    // A line is a paragraph nearly everywhere; where it is not, what is no whole sentence drops out.
    text.split('\n').flatMap((paragraph) => {
      const parts = sentences(paragraph);
      return parts.flatMap((sentence, last) => {
        if (!isProse(sentence)) return [];
        let first = last;
        let length = sentence.length;
        while (first > 0 && length + 1 + (parts[first - 1]?.length ?? 0) <= LONGEST_PASSAGE) {
          length += 1 + (parts[--first]?.length ?? 0);
        }
        const split = splitLastWord(parts.slice(first, last + 1).join(' '));
        return split ? [{ ...split, distractors: [], group: domain }] : [];
      });
    }),
  );
}

/** @param {string} passage */
export function splitLastWord(passage) {
  const match = /^(.{60,}[a-z,;]) ([a-z]{3,})[.!?]$/s.exec(passage);
  if (!match || passage.length > LONGEST_PASSAGE) return null;
  const [, context = '', word = ''] = match;
  const before = context.toLowerCase().split(/[^a-z']+/);
  const isRepeat =
    before.slice(0, -WORDS_BETWEEN).includes(word) && !before.slice(-WORDS_BETWEEN).includes(word);
  return isRepeat && !COMMON.has(word) ? { context, answer: ` ${word}` } : null;
}

/**
 * Accuracy of whoever always answers the commonest last word.
 * @param {{ word?: string }[]} items
 */
export function commonestWordShare(items) {
  const counts = new Map();
  for (const { word } of items) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Math.max(...counts.values()) / items.length;
}
