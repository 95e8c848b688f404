import { Parser } from 'htmlparser2';

const BLOCKS = new Set(
  (
    'address article aside blockquote body center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 ' +
    'header hr li main nav ol p pre section table tbody tfoot thead tr ul'
  ).split(' '),
);
const HIDDEN = new Set(['script', 'style', 'head', 'noscript', 'svg', 'button', 'nav', 'textarea', 'select']);
const VOID = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));

/**
 * Readable text of an HTML page: one line a paragraph, preformatted text as it stands, cells joined by " | ".
 * @param {string} html
 * @param {{ skip?: (tag: string, attributes: Record<string, string>) => boolean, root?: string }} [options]
 *   `skip` leaves an element out; `root` keeps only what lies inside elements of that name.
 */
export function htmlToText(html, { skip = () => false, root } = {}) {
  /** @type {string[]} */
  const paragraphs = [];
  let line = '';
  let hiddenDepth = 0;
  let rootDepth = 0;
  let preDepth = 0;
  const flush = () => {
    const text = preDepth
      ? line.replace(/^\n+|\s+$/g, '')
      : line
          .replace(/\s+/g, ' ')
          .replace(/( \|)+ ?$/, '')
          .trim();
    if (text) paragraphs.push(text);
    line = '';
  };
  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        if (hiddenDepth || HIDDEN.has(tag) || skip(tag, attributes)) {
          if (!VOID.has(tag)) hiddenDepth++;
          return;
        }
        if (BLOCKS.has(tag)) flush();
        if (tag === root) rootDepth++;
        if (tag === 'pre') preDepth++;
        if (tag === 'br') line += preDepth ? '\n' : ' ';
      },
      ontext(text) {
        if (!hiddenDepth && (!root || rootDepth)) line += text;
      },
      onclosetag(tag) {
        if (hiddenDepth) {
          if (!VOID.has(tag)) hiddenDepth--;
          return;
        }
        if (BLOCKS.has(tag)) flush();
        if (tag === root) rootDepth--;
        if (tag === 'pre') preDepth--;
        if ((tag === 'td' || tag === 'th') && line.trim()) line += ' | ';
      },
    },
    { decodeEntities: true },
  );
  parser.write(html);
  parser.end();
  flush();
  return paragraphs.join('\n\n');
}
