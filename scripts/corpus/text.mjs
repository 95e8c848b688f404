/**
 * A document is what the split keeps whole: a page, a speech, a chapter, a source file, a question group.
 * Paragraphs are separated by one empty line. Documents of one source with the same `group` go to the same split.
 * @typedef {{ id: string, text: string, group?: string }} Document
 */

/** Straight quotes, plain spaces, one kind of dash: a small vocabulary has no room for the variants. */
const REPLACEMENTS = /** @type {const} */ ([
  [/\r\n?/g, '\n'],
  [/[\u00a0\u2000-\u200a\u202f\u3000]/g, ' '],
  [/[\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff\u0085\ufffd]/g, ''],
  [/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, ''],
  [/[\u2018\u2019\u201a\u2032]/g, "'"],
  [/[\u201c\u201d\u201e\u2033]/g, '"'],
  [/\u2026/g, '...'],
  [/[\u2010\u2011\u2212]/g, '-'],
  [/\u2013/g, '-'],
  [/\u2014/g, '--'],
  [/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, 'name@example.org'],
  [/[ \t]+$/gm, ''],
  [/\n{3,}/g, '\n\n'],
]);

/** @param {string} text */
export function cleanText(text) {
  let clean = text.normalize('NFC');
  for (const [pattern, replacement] of REPLACEMENTS) clean = clean.replace(pattern, replacement);
  return clean.trim();
}

/** Joins the lines of hard-wrapped prose; leaves verse, tables and code (indented or short lines) alone. */
export function unwrap(/** @type {string} */ text) {
  return text
    .split(/\n[ \t]*\n\s*?(?=\S|[ \t])/)
    .map((paragraph) => {
      const lines = paragraph.split('\n').filter((line) => line.trim());
      const prose = lines.length > 1 && lines.slice(0, -1).every((line) => line.length > 45);
      const indented = lines.slice(1).some((line) => /^\s{4}/.test(line));
      return prose && !indented ? lines.map((line) => line.trim()).join(' ') : lines.join('\n');
    })
    .filter(Boolean)
    .join('\n\n');
}

/** Packs consecutive paragraphs into pieces of about `size` characters. */
export function packParagraphs(/** @type {string[]} */ paragraphs, /** @type {number} */ size) {
  /** @type {string[]} */
  const pieces = [];
  let current = '';
  for (const paragraph of paragraphs) {
    if (current && current.length + paragraph.length > size) {
      pieces.push(current);
      current = '';
    }
    current += (current ? '\n\n' : '') + paragraph;
  }
  if (current) pieces.push(current);
  return pieces;
}

/**
 * Pieces of one work as documents. Runs of four neighbours stay together, so that few scenes straddle the split.
 * @param {string} id
 * @param {string[]} pieces
 * @returns {Document[]}
 */
export const asDocuments = (id, pieces) =>
  pieces.map((text, index) => ({ id: `${id}/${index}`, group: `${id}/${Math.floor(index / 4)}`, text }));
