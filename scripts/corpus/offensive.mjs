/** Slurs, kept in ROT13 so that this file does not spell them out. Whole words, any case. */
const ENCODED =
  'avttre avttref avttnu avttneqyl avttreyvat xvxr xvxrf jrgonpx jrgonpxf entuenq entuenqf sntbg snttbg snttbgf ' +
  'tbbx tbbxf fcvp fcvpf phag phagf qnexvr qnexvrf qnexl whatyrohaal cvpxnavaal';

const rot13 = (/** @type {string} */ text) =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97));

const SLURS = new RegExp(`\\b(${rot13(ENCODED).split(' ').join('|')})\\b`, 'i');

/** WordNet marks its own offensive entries in the gloss. */
export const MARKED_OFFENSIVE =
  /\b(slur|offensive|derogat\w*|disparag\w*|obscen\w*|vulgar\w*|pejorative|contemptuous name|taboo|sexual\w*)\b/i;

/** Drops the paragraphs that hold a slur. */
export const withoutSlurs = (/** @type {string} */ text) =>
  SLURS.test(text)
    ? text
        .split('\n\n')
        .filter((paragraph) => !SLURS.test(paragraph))
        .join('\n\n')
    : text;
