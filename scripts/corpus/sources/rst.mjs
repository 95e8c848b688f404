import { join } from 'node:path';
import { listFiles, readText } from '../files.mjs';

const CONTENT_DIRECTIVES =
  /^(note|topic|warning|seealso|tip|important|admonition|glossary|proof|rubric|hint|impl-detail)$/;
const CODE_DIRECTIVES = /^(code-block|sourcecode|doctest|productionlist)$/;
/** Descriptions of what an interface has: the signatures stand behind the name, the text below. */
const API_DIRECTIVES =
  /^((py|c):)?(function|class|method|classmethod|staticmethod|attribute|data|exception|decorator|macro|type|member|var|struct|describe|option|cmdoption|opcode|envvar|pdbcommand)$/;

/**
 * Readable text of reStructuredText: roles and links reduced to their words, mathematics as $…$ and $$…$$.
 * @param {string} rst
 * @param {{ code: boolean }} options whether literal blocks stay
 */
export function rstToText(rst, { code }) {
  /** @type {string[]} */
  const output = [];
  /** @type {{ indent: number, keep: 'text' | 'code' | 'math' | 'none' }[]} */
  const stack = [];
  for (const block of rst.replace(/\t/g, '        ').split(/\n[ ]*\n/)) {
    const lines = block.split('\n').filter((line) => line.trim());
    const [first = ''] = lines;
    if (!first) continue;
    const indent = first.length - first.trimStart().length;
    while (stack.length && indent <= /** @type {{ indent: number }} */ (stack.at(-1)).indent) stack.pop();
    const mode = stack.at(-1)?.keep ?? 'text';
    if (mode === 'none') continue;
    if (mode === 'code' || mode === 'math') {
      const body = dedent(lines);
      if (mode === 'math') output.push(`$$${body.trim()}$$`);
      else if (code) output.push(body);
      continue;
    }
    const directive = /^\s*\.\. ([\w:-]+)::\s*(.*)$/.exec(first);
    if (directive) {
      const name = /** @type {string} */ (directive[1]);
      const keep = directiveContent(name);
      stack.push({ indent, keep });
      const rest = lines.slice(1).filter((line) => !/^\s*:[\w-]+:/.test(line));
      if (keep === 'math' && (directive[2] || rest.length))
        output.push(`$$${[directive[2], dedent(rest)].join(' ').trim()}$$`);
      if (API_DIRECTIVES.test(name))
        output.push(inline([directive[2], ...rest.map((line) => line.trim())].join('\n')));
      else if (keep === 'text' && rest.length) output.push(inline(dedent(rest)));
      continue;
    }
    if (/^\s*\.\.( |$)/.test(first)) {
      stack.push({ indent, keep: 'none' });
      continue;
    }
    if (/^\s*>>>/.test(first)) {
      if (code) output.push(dedent(lines));
      continue;
    }
    const prose = lines.filter(
      (line) => !/^\s*([=~^"'*#+.-])\1{3,}(\s+\1+)*\s*$|^\s*\+[-=+]+\+\s*$/.test(line),
    );
    const text = inline(dedent(prose)).replace(/::$/gm, ':');
    if (/::$/.test(/** @type {string} */ (lines.at(-1)))) stack.push({ indent, keep: 'code' });
    if (text.trim()) output.push(/^\s*[-*|+]/.test(first) ? text : text.replace(/\s*\n\s*/g, ' '));
  }
  return output.join('\n\n');
}

/** What lies under a directive. @param {string} name */
function directiveContent(name) {
  if (name === 'math') return 'math';
  if (CODE_DIRECTIVES.test(name)) return 'code';
  return CONTENT_DIRECTIVES.test(name) || API_DIRECTIVES.test(name) ? 'text' : 'none';
}

/** @param {string[]} lines */
function dedent(lines) {
  const indent = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(Number.isFinite(indent) ? indent : 0)).join('\n');
}

const inline = (/** @type {string} */ text) =>
  text
    .replace(/:math:`([^`]*)`/g, (_, formula) => `$${formula.replace(/\s+/g, ' ')}$`)
    .replace(/(?::[\w:+-]+:)?`([^`<]*?)\s*<[^`>]*>`_{0,2}/g, '$1')
    .replace(/:[\w:+-]+:`[~!]?([^`]*)`/g, '$1')
    .replace(/``([^`]*)``/g, '$1')
    .replace(/`([^`]*)`_{0,2}/g, '$1')
    .replace(/\[#?\w*\]_/g, '')
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/\|(\w+)\|/g, '$1');

/** Pages with at least five pieces of mathematics, without their code. */
const mathematicalPages = (/** @type {string} */ root, /** @type {RegExp} */ exclude) =>
  listFiles(root, ['.rst.txt'])
    .filter((path) => !exclude.test(path))
    .map((path) => ({ id: path, source: readText(join(root, path)) }))
    .filter(({ source }) => (source.match(/:math:`|\.\. math::/g)?.length ?? 0) >= 5)
    .map(({ id, source }) => ({ id, text: rstToText(source, { code: false }) }));

export const scikitLearn = (/** @type {string} */ root) =>
  mathematicalPages(
    join(root, 'usr/share/doc/python-sklearn-doc/html/_sources'),
    /^(whats_new|testimonials|modules\/generated)/,
  );

export const sympy = (/** @type {string} */ root) =>
  mathematicalPages(join(root, 'usr/share/doc/python-sympy-doc/html/_sources'), /^$/);

/** Python's own documentation: tutorial, library, language reference. The FAQ is a source of its own. */
export function pythonManual(/** @type {string} */ root) {
  const folder = join(root, 'usr/share/doc/python3.11/html/_sources');
  return listFiles(folder, ['.rst.txt'])
    .filter((path) =>
      /^(c-api|distutils|extending|howto|library|reference|tutorial|using|whatsnew)\//.test(path),
    )
    .filter((path) => !/(^|\/)(index|changelog)\.rst/.test(path))
    .map((path) => ({ id: path, text: rstToText(readText(join(folder, path)), { code: true }) }));
}
