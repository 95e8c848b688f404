/**
 * Makes a good sentence bad by one edit, or gives null where it cannot do so with certainty.
 * @typedef {(sentence: string) => string | null} Rule
 * @typedef {{ name: string, rules: Rule[] }} Phenomenon
 */

/**
 * A rule: the first match of `find` for which `replace` gives text becomes that text. `replace` gets the groups
 * of the match, in order, and its whole. `unless` names what would let the edited sentence stand.
 * @param {RegExp} find
 * @param {(groups: string[], whole: string) => string | undefined} replace
 * @param {RegExp} [unless]
 * @returns {Rule}
 */
export function edit(find, replace, unless) {
  const everywhere = new RegExp(find, 'g');
  return (sentence) => {
    if (unless?.test(sentence)) return null;
    for (const match of sentence.matchAll(everywhere)) {
      const [whole, ...groups] = match;
      const changed = replace(
        groups.map((group) => group ?? ''),
        whole,
      );
      if (changed !== undefined && changed !== whole) {
        return sentence.slice(0, match.index) + changed + sentence.slice(match.index + whole.length);
      }
    }
    return null;
  };
}

/**
 * `text` with its word `from` become `to`, beginning with a capital letter where `from` did.
 * @param {Map<string, string> | Record<string, string>} table lower-case words
 * @param {string} word
 */
export function lookUp(table, word) {
  const lower = word.toLowerCase();
  const found =
    table instanceof Map ? table.get(lower) : Object.hasOwn(table, lower) ? table[lower] : undefined;
  if (found === undefined || word === lower) return found;
  return found.charAt(0).toUpperCase() + found.slice(1);
}

/** A group of a pattern that matches any of the words. @param {Iterable<string>} words */
export const anyOf = (words) => `(${[...words].join('|')})`;
