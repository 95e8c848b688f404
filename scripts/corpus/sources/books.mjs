import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { decompress as unzstd } from 'fzstd';
import { listFiles, readText } from '../files.mjs';
import { asDocuments, packParagraphs, unwrap } from '../text.mjs';
import { readCharacterVectors } from './r-data.mjs';

/** @typedef {import('../text.mjs').Document} Document */

const PIECE = 14_000;
const KLAUSPOST = 'usr/share/gocode/src/github.com/klauspost/compress';

/**
 * Cuts a book into its chapters, and chapters into pieces of about 14,000 characters.
 * @param {string} id
 * @param {string} text
 * @param {{ from?: RegExp, heading: RegExp }} options `from` opens the text proper; `heading` opens a chapter.
 * @returns {Document[]}
 */
function chapters(id, text, { from, heading }) {
  const start = from ? text.search(from) : 0;
  if (start < 0) throw new Error(`${id}: no beginning found`);
  const body = text.slice(start).replace(/\n\s*(\*\*\*\s*)?End of (the|this) Project Gutenberg[\s\S]*$/i, '');
  const pieces = unwrap(body)
    .split(new RegExp(`^(?=${heading.source})`, 'm'))
    .flatMap((chapter) =>
      packParagraphs(
        chapter
          .split('\n\n')
          .filter((paragraph) => !/Gutenberg/i.test(paragraph))
          .flatMap(stanzas),
        PIECE,
      ),
    )
    .filter((piece) => piece.length > 400);
  return asDocuments(id, pieces);
}

/** Verse without empty lines is cut every fifty lines, anything else stays whole. */
const stanzas = (/** @type {string} */ paragraph) =>
  paragraph
    .match(/(?:.*\n?){1,50}/g)
    ?.map((part) => part.trimEnd())
    .filter(Boolean) ?? [];

/** Six novels, kept in the package as R character vectors of lines. */
export const austen = (/** @type {string} */ root) =>
  readCharacterVectors(readFileSync(join(root, 'usr/lib/R/site-library/janeaustenr/data/Rdata.rdb'))).flatMap(
    (lines) => chapters(lines[0] ?? 'untitled', lines.join('\n'), { heading: /(?:CHAPTER|Chapter) / }),
  );

export const mobyDick = (/** @type {string} */ root) =>
  asDocuments(
    'moby-dick',
    listFiles(join(root, 'data'), ['.txt'])
      .filter((path) => path !== 'data.txt')
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .flatMap((path) => chapters(path, readText(join(root, 'data', path)), { heading: /CHAPTER / }))
      .map(({ text }) => text),
  );

export const tomSawyer = (/** @type {string} */ root) =>
  chapters('tom-sawyer', readText(join(root, KLAUSPOST, 'testdata/Mark.Twain-Tom.Sawyer.txt')), {
    from: /^ +P R E F A C E/m,
    heading: /CHAPTER /,
  });

export const opticks = (/** @type {string} */ root) =>
  chapters('opticks', readText(join(root, 'usr/share/go-1.19/src/testdata/Isaac.Newton-Opticks.txt')), {
    from: /^Advertisement I$/m,
    heading: /(?:_PROP|PROP|_DEFIN|THE *(?:FIRST|SECOND|THIRD))/,
  });

const fromBenchmark = (/** @type {string} */ root, /** @type {string} */ name) => {
  const archive = unzipSync(readFileSync(join(root, KLAUSPOST, 'zstd/testdata/benchdecoder.zip')), {
    filter: (file) => file.name === name,
  });
  return new TextDecoder().decode(unzstd(/** @type {Uint8Array} */ (archive[name]))).replace(/\r/g, '');
};

export const alice = (/** @type {string} */ root) =>
  chapters('alice', fromBenchmark(root, 'alice29.txt.zst').replace(/^ +/gm, ''), {
    from: /^CHAPTER I$/m,
    heading: /CHAPTER /,
  });

export const paradiseLost = (/** @type {string} */ root) =>
  chapters('paradise-lost', fromBenchmark(root, 'plrabn12.txt.zst').replace(/^\d{8} *\n/gm, ''), {
    from: /^Book I\b/m,
    heading: /Book [IVX]+/,
  });

/** The dictionary's entries, as they follow one another. */
export function devilsDictionary(/** @type {string} */ root) {
  const text = gunzipSync(readFileSync(join(root, 'usr/share/dictd/devil.dict.dz'))).toString('latin1');
  const entries = unwrap(text.slice(text.indexOf('ABASEMENT, n.'))).split(/\n\n(?=[A-Z][A-Z'-]+[,.])/);
  return packParagraphs(entries, 5_000).map((piece, index) => ({ id: `devil/${index}`, text: piece }));
}
