import { draw } from './items.mjs';

/** Relations, connectives, operators and commas: Metamath's ASCII, commands of LaTeX, single characters. */
const OPERATOR =
  /(<->|\|->|->|=>|:=|=\/=|<_|_E|C_|~~|\/\\(?![a-z])|\\\/|\b[exo]\.|\\(?:approx|cdot|geq?|in|leq?|neq?|sim|times|to)(?![a-z])|[=<>+|,^]| - ) ?/g;
const FORMULA = { atLeast: 8, atMost: 90 };
const SIDE = 3;
const CONTEXT = 160;

/**
 * Formulas cut after an operator near their middle: the true rest, and three rests of nearly the same length that
 * follow the same operator elsewhere.
 * @param {string[]} documents
 * @returns {import('./items.mjs').Candidate[]}
 */
export function formulaTails(documents) {
  const cuts = documents.flatMap((text) =>
    text.split('\n\n').flatMap((paragraph) => formulasOf(paragraph).flatMap(cutAtOperator)),
  );
  return cuts.flatMap(({ context, operator, tail }) => {
    const others = draw(
      cuts,
      3,
      context + tail,
      (cut, taken) =>
        cut.operator === operator &&
        Math.abs(cut.tail.length - tail.length) <= 2 + tail.length / 3 &&
        !context.includes(cut.tail) &&
        [tail, ...taken.map((one) => one.tail)].every((one) => one !== cut.tail),
    );
    return others ? [{ context, answer: tail, distractors: others.map((cut) => cut.tail) }] : [];
  });
}

/** As many brackets close as open, of whatever kind: half-open intervals mix them. */
function isBalanced(/** @type {string} */ text) {
  let depth = 0;
  for (const bracket of text.match(/[()[\]{}]/g) ?? []) {
    depth += '([{'.includes(bracket) ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** `$…$` and `$$…$$` of LaTeX, `$…$` of Metamath's comments, in which `$$` stands for function application. */
const DELIMITED = /\$\$([^$]+)\$\$|\$((?:[^$]|\$\$)+?)\$(?!\$)/g;

/** A paragraph's formulas with the words before each. */
function formulasOf(/** @type {string} */ paragraph) {
  return [...paragraph.matchAll(DELIMITED)].flatMap(({ 0: whole, 1: display, 2: inline, index }) => {
    const formula = display ?? inline ?? '';
    const isFormula =
      formula.length >= FORMULA.atLeast &&
      formula.length <= FORMULA.atMost &&
      isBalanced(formula) &&
      !/[a-z]{3,} [a-z]{3,}/.test(formula);
    const start = index + whole.indexOf(formula);
    const before = paragraph.slice(Math.max(0, start - CONTEXT), start);
    const firstWord = start > CONTEXT ? before.indexOf(' ') + 1 : 0;
    return isFormula ? [{ before: before.slice(firstWord), formula }] : [];
  });
}

/** Cuts after the operator nearest to the middle; the tail carries the space that follows and the closing `$`. */
function cutAtOperator(/** @type {{ before: string, formula: string }} */ { before, formula }) {
  const places = [...formula.matchAll(OPERATOR)]
    .map(({ 0: match, 1: operator, index }) => ({ operator, end: index + match.trimEnd().length }))
    .filter(({ end }) => end > SIDE && formula.length - end > SIDE)
    .sort((a, b) => Math.abs(a.end - formula.length / 2) - Math.abs(b.end - formula.length / 2));
  const [place] = places;
  if (!place) return [];
  const context = before + formula.slice(0, place.end);
  return [{ context, operator: place.operator, tail: `${formula.slice(place.end)}$` }];
}
