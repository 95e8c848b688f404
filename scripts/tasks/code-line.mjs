import { draw } from './items.mjs';

const CONTEXT = { lines: 8, characters: 200, atLeast: 40 };
const LINE = { atLeast: 12, atMost: 70 };
/** Between two items of a file, so that one's answer is not another's context. */
const LINES_BETWEEN = 5;
const COMMENT = /^\s*(\/\/|\*|#)/;

/**
 * Lines of a source file with the line that follows and three others of the same file and indentation, none of
 * which stands in the context. Comments, blank lines and lines of brackets are never asked for.
 * @param {string[]} documents source files
 * @returns {import('./items.mjs').Candidate[]}
 */
export function codeLines(documents) {
  return documents.flatMap((text) => {
    const lines = text.split('\n');
    const statements = statementsOf(lines);
    const group = language(text);
    let free = 0;
    return lines.flatMap((line, at) => {
      const before = contextBefore(lines, at);
      const context = before.trimEnd();
      if (at < free || !statements.has(line) || context.length < CONTEXT.atLeast) return [];
      const above = context.split('\n');
      if (above.includes(line)) return [];
      const others = draw(
        [...statements],
        3,
        context,
        (other) => other !== line && indentation(other) === indentation(line) && !above.includes(other),
      );
      if (!others) return [];
      free = at + LINES_BETWEEN;
      const gap = `${before.slice(context.length)}\n`;
      return { context, answer: gap + line, distractors: others.map((other) => gap + other), group };
    });
  });
}

/** As many whole lines before line `at` as fit. */
function contextBefore(/** @type {string[]} */ lines, /** @type {number} */ at) {
  let first = at;
  let length = 0;
  while (first > 0 && at - first < CONTEXT.lines) {
    length += String(lines[first - 1]).length + 1;
    if (length > CONTEXT.characters) break;
    first--;
  }
  return lines.slice(first, at).join('\n').trimStart();
}

const indentation = (/** @type {string} */ line) => line.slice(0, line.search(/\S|$/));

/** The different lines of a file that are code: two words or more, outside comments and long strings. */
function statementsOf(/** @type {string[]} */ lines) {
  let inside = false;
  return new Set(
    lines.filter((line) => {
      const wasInside = inside;
      const marks = line.match(/"""|'''|\/\*|\*\//g) ?? [];
      if (marks.length % 2) inside = !inside;
      const { length } = line.trim();
      return (
        !wasInside &&
        marks.length === 0 &&
        length >= LINE.atLeast &&
        length <= LINE.atMost &&
        !COMMENT.test(line) &&
        /[A-Za-z]{2}.*[^A-Za-z].*[A-Za-z]{2}/.test(line)
      );
    }),
  );
}

/** @param {string} text a source file */
export function language(text) {
  if (/^package \w+$/m.test(text)) return 'go';
  return /^\s*(def|class) .*:$|^from [\w.]+ import /m.test(text) ? 'python' : 'javascript';
}
