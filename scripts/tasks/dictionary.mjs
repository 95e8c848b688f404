/** @typedef {{ words: string, gloss: string, pos: PartOfSpeech, document: number }} Entry */
/** @typedef {'noun' | 'verb' | 'adjective' | 'adverb'} PartOfSpeech */

const ENTRY = /^([A-Za-z][A-Za-z ',.-]{1,60}): ([^\n]+)$/;
/** Nearly all paragraphs of a dictionary's page are entries. */
const ENTRIES_OF_PARAGRAPHS = 0.8;
/** A page of a form ("Area: ...") has what other pages have before its colons; a word heads few entries. */
const PAGES_WITH_A_WORD = 4;
const FIELDS_OF_ENTRIES = 0.2;
const GLOSS = { atLeast: 20, atMost: 100 };
/** Names of plants and animals and their families nearly tell each other's definition. */
const TAXONOMY =
  /\b(genus|family|order|class|phylum|species|subfamily|suborder|superfamily|tribe|division)\b/i;

/** How glosses of each part of speech begin; what is none of these (herbs, towns, substances) is a noun's. */
const BEGINNINGS = /** @type {const} */ ({
  noun: /^(an?|the|any|one|some|someone|something|person|type)\b/,
  verb: /^(act|be|bear|become|behave|bring|cause|change|come|consume|cover|cut|draw|eat|engage|express|fall|feel|fill|fit|form|furnish|get|give|go|have|hold|insert|join|keep|leave|look|lose|make|move|pass|perform|place|play|produce|provide|push|put|remove|run|say|send|set|show|speak|spread|stop|strike|take|touch|travel|treat|turn|use|utter|work)\b/,
  adjective:
    /^(able|being|belonging|capable|causing|characteristic|characterized|containing|consisting|covered|deserving|extremely|filled|free|full|given|having|inclined|lacking|likely|made|marked|more|most|not|occurring|of|pertaining|relating|resembling|serving|showing|so|suitable|tending|that|unable|used|very|without)\b/,
  adverb: /^(at|by|from|in|on|to|with)\b/,
});

/**
 * The entries of a dictionary, written "words: gloss; examples" one a paragraph. Glosses lose examples and the
 * subject in brackets; long, short and taxonomic entries are left out.
 * @param {string[]} documents
 * @returns {Entry[]}
 */
export function dictionaryEntries(documents) {
  const pages = documents.map((text) => {
    const paragraphs = text.split('\n\n');
    const entries = paragraphs.flatMap((paragraph) => {
      const [, words, gloss] = ENTRY.exec(paragraph) ?? [];
      return words && gloss ? [{ words, gloss: plainGloss(gloss) }] : [];
    });
    return { entries, isMostlyEntries: entries.length >= ENTRIES_OF_PARAGRAPHS * paragraphs.length };
  });
  const pagesWith = new Map();
  for (const { entries } of pages) {
    for (const words of new Set(entries.map((entry) => entry.words))) {
      pagesWith.set(words, 1 + (pagesWith.get(words) ?? 0));
    }
  }
  return pages.flatMap(({ entries, isMostlyEntries }, document) => {
    const fields = entries.filter(({ words }) => pagesWith.get(words) > PAGES_WITH_A_WORD);
    if (!isMostlyEntries || fields.length > FIELDS_OF_ENTRIES * entries.length) return [];
    const pos = partOfSpeech(entries);
    return entries
      .filter(({ gloss }) => gloss.length >= GLOSS.atLeast && gloss.length <= GLOSS.atMost)
      .filter(({ words, gloss }) => !TAXONOMY.test(`${words} ${gloss}`))
      .map((entry) => ({ ...entry, pos, document }));
  });
}

const plainGloss = (/** @type {string} */ gloss) =>
  gloss
    .replace(/; ".*$/, '')
    .replace(/^\([^)]*\) /, '')
    .trim();

/**
 * A document holds neighbours of one part of speech, which the text does not name: most of the glosses that
 * begin in a telling way decide.
 * @param {{ gloss: string }[]} entries of one document
 * @returns {PartOfSpeech}
 */
export function partOfSpeech(entries) {
  /** @type {PartOfSpeech[]} */
  const parts = ['noun', 'verb', 'adjective', 'adverb'];
  const votes = parts.map((pos) => entries.filter(({ gloss }) => BEGINNINGS[pos].test(gloss)).length);
  return /** @type {PartOfSpeech} */ (parts[votes.indexOf(Math.max(...votes))]);
}
