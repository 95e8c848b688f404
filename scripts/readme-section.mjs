import { format, resolveConfig } from 'prettier';

/** The part of the README that `npm run report` writes. */
export const README = 'README.md';
const BEGIN = '<!-- report: written by npm run report -->';
const END = '<!-- end of report -->';

/** @param {string} readme */
function bounds(readme) {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${README} must have ${BEGIN} and, behind it, ${END}`);
  return { begin: begin + BEGIN.length, end };
}

/**
 * What stands between the marks.
 *
 * @param {string} readme
 */
export function section(readme) {
  const { begin, end } = bounds(readme);
  return readme.slice(begin, end).trim();
}

/**
 * The README with `text` between the marks.
 *
 * @param {string} readme
 * @param {string} text
 */
export function withSection(readme, text) {
  const { begin, end } = bounds(readme);
  return `${readme.slice(0, begin)}\n\n${text.trim()}\n\n${readme.slice(end)}`;
}

/**
 * A text as the linter wants it.
 *
 * @param {string} text
 * @param {'markdown' | 'json'} parser
 */
export async function formatted(text, parser) {
  return format(text, { ...(await resolveConfig(README)), parser });
}
