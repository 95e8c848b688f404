import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packParagraphs } from '../text.mjs';

const CREDIT =
  /\s*\((?:Contributed|Revised|Proof shortened|Proof revised|Shortened|Provided|Moved|Suggested|New usage|Proof modification|Obsolete|Modified)\b[^()]*(?:\([^()]*\)[^()]*)*\)/g;
const RULE = /^\s*(?:#\*){4}.*$|^\s*(?:=-){4}.*$|^\s*(?:-\.){4}.*$|^\s*#{8}.*$/m;

/** Sections that go to the same split: neighbours word their theorems alike. */
const CHAPTER = 6;

/** The comments of set.mm (definitions and theorems in words): one document a section. */
export function setMm(/** @type {string} */ root) {
  const source = readFileSync(join(root, 'usr/share/metamath/databases/set.mm'), 'utf8');
  const body = source.slice(source.indexOf('Begin $[ set-main.mm'));
  /** @type {{ title: string, paragraphs: string[] }[]} */
  const sections = [];
  for (const [, comment = ''] of body.matchAll(/\$\(\s([\s\S]*?)\s\$\)/g)) {
    if (/^\s*(Begin|End) \$\[|\$[jt=]|\$p|^\s*\(?This comment/.test(comment)) continue;
    if (RULE.test(comment)) {
      const [title = '', ...rest] = comment
        .split(new RegExp(RULE.source, 'gm'))
        .map((part) => part.trim())
        .filter(Boolean);
      sections.push({ title: title.replace(/\s+/g, ' '), paragraphs: rest.flatMap(prose) });
    } else sections.at(-1)?.paragraphs.push(...prose(comment));
  }
  return sections.flatMap(({ title, paragraphs }, section) =>
    packParagraphs(paragraphs, 10_000).map((text, part) => ({
      id: `${section}/${part}`,
      group: String(Math.floor(section / CHAPTER)),
      text: `${title}\n\n${text}`,
    })),
  );
}

/** @param {string} comment @returns {string[]} */
function prose(comment) {
  return comment
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .replace(CREDIT, '')
        .replace(/<\/?HTML>|\[HTML\]/gi, '')
        .replace(/\s+/g, ' ')
        .replace(/` ?([^`]*?) ?`/g, '$$$1$$')
        .replace(/~~? (\S+)/g, '$1')
        .replace(/ ([.,;:)])/g, '$1')
        .trim(),
    )
    .filter((paragraph) => paragraph.length > 50);
}
