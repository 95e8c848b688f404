import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { asDocuments, packParagraphs } from '../text.mjs';

const PIECE = 14_000;
const MODULES = 'usr/share/sword/modules';
/** Bytes of an index entry: where a block lies, its compressed and its plain size, 32 bits each. */
const ENTRY = 12;

/** The text of a compressed SWORD module, block by block (a book or a chapter), with its OSIS mark-up. */
function readBlocks(/** @type {string} */ root, /** @type {string} */ stem, /** @type {'b' | 'c'} */ type) {
  const index = readFileSync(join(root, MODULES, `${stem}.${type}zs`));
  const data = readFileSync(join(root, MODULES, `${stem}.${type}zz`));
  return Array.from({ length: index.length / ENTRY }, (_, i) => {
    const start = index.readUInt32LE(i * ENTRY);
    const size = index.readUInt32LE(i * ENTRY + 4);
    return size ? inflateSync(data.subarray(start, start + size)).toString('utf8') : '';
  });
}

/** Paragraphs and lines of verse of an OSIS text, without titles and notes. */
const paragraphs = (/** @type {string} */ osis) =>
  osis
    .replace(/<(note|title)\b[\s\S]*?<\/\1>/g, '')
    .replace(/<(?:chapter\b|lg\b|div [^>]*type="x-p")[^>]*>/g, '\n\n')
    .replace(/<l (?=[^>]*sID)[^>]*>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.replace(/\s+/g, ' ').trim())
        .filter(Boolean)
        .join('\n'),
    )
    .filter(Boolean);

/** A Bible in modern English, book by book. */
export const bible = (/** @type {string} */ root) =>
  ['ot', 'nt'].flatMap((testament) =>
    readBlocks(root, `texts/ztext/engWEB2015eb/${testament}`, 'b').flatMap((book, i) =>
      asDocuments(`${testament}/${i}`, packParagraphs(paragraphs(book), PIECE)),
    ),
  );

/** Spurgeon on the Psalms, psalm by psalm. */
export const treasuryOfDavid = (/** @type {string} */ root) =>
  readBlocks(root, 'comments/zcom/tdavid/ot', 'c').flatMap((psalm, i) =>
    asDocuments(`psalm/${i}`, packParagraphs(paragraphs(psalm), PIECE)),
  );
