/** Where a full stop ends no sentence: titles, references, initials. */
const ABBREVIATION =
  /(?:^|[\s("'])(?:Mr|Mrs|Dr|St|Sr|Jr|Messrs|Gen|Col|Capt|Hon|Rev|Sec|No|Nos|Vol|Ch|Fig|Eq|Prof|Co|Inc|vs|cf|viz|etc|approx|[A-Za-z]|(?:[a-z]\.)+[a-z])\.$/;
const BOUNDARY = /[.!?]["')]*(?=\s+["'(]*[A-Z])/g;

/**
 * The sentences of a paragraph, trimmed. A mark that ends a sentence is followed by space and a capital letter.
 * @param {string} paragraph
 */
export function sentences(paragraph) {
  /** @type {string[]} */
  const found = [];
  let start = 0;
  for (const { 0: mark, index } of paragraph.matchAll(BOUNDARY)) {
    const end = index + mark.length;
    if (mark === '.' && ABBREVIATION.test(paragraph.slice(start, end))) continue;
    found.push(paragraph.slice(start, end).trim());
    start = end;
  }
  const rest = paragraph.slice(start).trim();
  return rest ? [...found, rest] : found;
}

/** A whole sentence of running English: no code, formula, table, list, verse or quotation cut in half. */
export function isProse(/** @type {string} */ sentence) {
  return (
    /^[A-Z][A-Za-z ,;:'"().!?-]*[.!?]$/.test(sentence) &&
    !/[A-Z]{2}|--|\.\.|\s\s|^[A-Z]\. |^(Question|Answer):/.test(sentence) &&
    (sentence.match(/"/g) ?? []).length % 2 === 0 &&
    (sentence.match(/\(/g) ?? []).length === (sentence.match(/\)/g) ?? []).length &&
    sentence.split(' ').length >= 5
  );
}
